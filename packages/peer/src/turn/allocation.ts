import {
  type AddressFamily,
  type AttributeValue,
  type Endpoint,
  endpointFamily,
  Lifetime,
  RequestedAddressFamily,
  RequestedTransport,
  type StunMessage,
  XorMappedAddress,
  XorRelayedAddress,
} from "@awl/wire";

export interface Allocation {
  readonly relayed: Endpoint;
  readonly mapped: Endpoint;
  readonly lifetimeMs: number;
}

/** IANA's number of UDP: RFC 8656 section 18.7. */
const UDP = 17;

/** What an Allocate asks for. IPv4 is what servers give unasked, and older ones know no other: RFC 8656 section 7.1. */
export function allocationAttributes(family: AddressFamily): AttributeValue[] {
  const transport = RequestedTransport.of(UDP);
  return family === 4 ? [transport] : [transport, RequestedAddressFamily.of(family)];
}

/** What an Allocate success says; `undefined` if it lacks what RFC 8656 section 7.2 demands. */
export function readAllocation(answer: StunMessage, family: AddressFamily): Allocation | undefined {
  const relayed = answer.all(XorRelayedAddress).find((address) => endpointFamily(address) === family);
  const mapped = answer.get(XorMappedAddress);
  const seconds = answer.get(Lifetime);
  if (!relayed || relayed.port === 0 || !mapped || !seconds) return undefined;
  return { relayed, mapped, lifetimeMs: seconds * 1_000 };
}
