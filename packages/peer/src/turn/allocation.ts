import {
  type AddressFamily,
  type Endpoint,
  endpointFamily,
  Lifetime,
  type StunMessage,
  XorMappedAddress,
  XorRelayedAddress,
} from "@awl/wire";

export interface Allocation {
  readonly relayed: Endpoint;
  readonly mapped: Endpoint;
  readonly lifetimeMs: number;
}

/** What an Allocate success says; `undefined` if it lacks what RFC 8656 section 7.2 demands. */
export function readAllocation(answer: StunMessage, family: AddressFamily): Allocation | undefined {
  const relayed = answer.all(XorRelayedAddress).find((address) => endpointFamily(address) === family);
  const mapped = answer.get(XorMappedAddress);
  const seconds = answer.get(Lifetime);
  if (!relayed || relayed.port === 0 || !mapped || !seconds) return undefined;
  return { relayed, mapped, lifetimeMs: seconds * 1_000 };
}
