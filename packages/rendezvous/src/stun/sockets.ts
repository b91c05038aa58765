import type { Endpoint } from "@awl/wire";

/** An address of this host that is served, as {@link stunSockets} needs to know it. */
export interface StunAddress {
  /** As bound. */
  readonly address: string;
  /** As clients see it: another one than `address` behind a 1:1 NAT. */
  readonly publicAddress: string;
  /** Its alternate ("the other address" of RFC 5780), by index in the same list; `undefined`: it has none. */
  readonly alternate: number | undefined;
}

/** One UDP socket of the server. */
export interface StunSocket {
  /** As bound. */
  readonly local: Endpoint;
  /** As clients see it: what RESPONSE-ORIGIN says. */
  readonly origin: Endpoint;
  /** Where CHANGE-REQUEST leads from here; `undefined`: this address has no alternate. */
  readonly change: ChangedSockets | undefined;
}

/** The sockets, by index, that answer a request with CHANGE-REQUEST. RFC 5780 section 6.1, table 1. */
export interface ChangedSockets {
  /** "Change IP": Ca, Dp. */
  readonly ip: number;
  /** "Change port": Da, Cp. */
  readonly port: number;
  /** Both: Ca, Cp; what OTHER-ADDRESS names. */
  readonly both: number;
}

/** Every address with the primary and the alternate port: two sockets an address, in the order of the addresses. */
export function stunSockets(addresses: readonly StunAddress[], port: number, altPort: number): StunSocket[] {
  return addresses.flatMap(({ address, publicAddress, alternate }, i) =>
    [port, altPort].map((number, p) => ({
      local: { address, port: number },
      origin: { address: publicAddress, port: number },
      change: alternate === undefined ? undefined : { ip: 2 * alternate + p, port: 2 * i + 1 - p, both: 2 * alternate + 1 - p },
    })),
  );
}
