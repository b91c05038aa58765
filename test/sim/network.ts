import type { Endpoint } from "@awl/wire";

/** A UDP datagram on its way. */
export interface Packet {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Buffer;
  /** IPv4 time to live, IPv6 hop limit. */
  readonly ttl: number;
}

export type Receive = (packet: Packet) => void;

/** What hosts and routers are plugged into: the Internet, or the inside of a router. */
export interface Network {
  /** From now on `receive` gets what is sent to that address. */
  plug(address: string, receive: Receive): void;
  /** Takes a packet from somebody who is plugged in. */
  send(packet: Packet): void;
}

/** A name for maps; no address contains a space. */
export function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
