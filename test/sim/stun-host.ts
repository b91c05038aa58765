import { BindingServer, type StunAddress, stunSockets } from "@awl/rendezvous";
import type { Endpoint } from "@awl/wire";
import type { Clock } from "./clock.js";
import type { Internet } from "./internet.js";
import { type LineConditions, PERFECT } from "./line.js";
import { keyOf, type Packet } from "./network.js";

const PORT = 3478;
const ALT_PORT = 3479;
const TTL = 64;

const ADDRESSES: readonly StunAddress[] = [
  { address: "203.0.113.1", publicAddress: "203.0.113.1", alternate: 1 },
  { address: "198.51.100.1", publicAddress: "198.51.100.1", alternate: 0 },
  { address: "2001:db8:ffff::1", publicAddress: "2001:db8:ffff::1", alternate: undefined },
];

/** One for each family. */
export const STUN_SERVERS: readonly Endpoint[] = [
  { address: "203.0.113.1", port: PORT },
  { address: "2001:db8:ffff::1", port: PORT },
];

/** The rendezvous' own STUN machine, with two IPv4 addresses and one of IPv6. */
export function plugStunHost(clock: Clock, internet: Internet, conditions: LineConditions = PERFECT): void {
  const sockets = stunSockets(ADDRESSES, PORT, ALT_PORT);
  const indices = new Map(sockets.map(({ local }, index) => [keyOf(local), index]));
  const server = new BindingServer(sockets);
  const { network } = internet.join(conditions);
  const receive = ({ from, to, bytes }: Packet) => {
    const local = indices.get(keyOf(to));
    const answer = local === undefined ? undefined : server.handle(clock.now, bytes, local, from);
    const source = answer && sockets[answer.via]?.local;
    if (source) network.send({ from: source, to: answer.to, bytes: answer.bytes, ttl: TTL });
  };
  for (const { address } of ADDRESSES) network.plug(address, receive);
}
