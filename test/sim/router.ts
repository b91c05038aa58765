import type { RouterBehaviour } from "../grid/nat-kinds.js";
import type { Clock } from "./clock.js";
import { FlowTable } from "./flow-table.js";
import type { Network, Packet, Receive } from "./network.js";
import type { Random } from "./random.js";

/** A box between a network outside and one inside: a NAT, a firewall, or one that only routes. RFC 4787. */
export class Router implements Network {
  readonly #behaviour: RouterBehaviour;
  readonly #outside: Network;
  readonly #external: ReadonlySet<string>;
  readonly #hosts = new Map<string, Receive>();
  readonly #clock: Clock;
  readonly #flows: FlowTable;

  /** `addresses`: its own outside, as many as it pools. */
  constructor(clock: Clock, random: Random, outside: Network, addresses: readonly string[], behaviour: RouterBehaviour) {
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#outside = outside;
    this.#external = new Set(addresses);
    this.#flows = new FlowTable(clock, random, addresses, behaviour);
    for (const address of addresses) outside.plug(address, (packet) => this.#enter(packet));
  }

  plug(address: string, receive: Receive): void {
    this.#hosts.set(address, receive);
    // Nothing translates: the inside addresses are public, and routed here.
    if (this.#behaviour.nat === null) this.#outside.plug(address, (packet) => this.#enter(packet));
  }

  /** A packet from inside. */
  send(packet: Packet): void {
    if (this.#deliver(packet)) return;
    if (packet.ttl <= 1 || this.#behaviour.udp === "block") return;
    const isHairpin = this.#external.has(packet.to.address);
    if (isHairpin && !this.#behaviour.hairpin) return;
    const out = { ...packet, from: this.#flows.outbound(packet.from, packet.to), ttl: packet.ttl - 1 };
    if (isHairpin) this.#enter(out);
    else this.#outside.send(out);
  }

  /** Forgets all flows, as a rebooted router does. */
  flush(): void {
    this.#flows.clear();
  }

  /** A packet from outside. */
  #enter(packet: Packet): void {
    if (packet.ttl <= 1 || this.#behaviour.udp === "block") return;
    const inside = this.#flows.inbound(packet.to, packet.from);
    if (inside) this.#deliver({ ...packet, to: inside, ttl: packet.ttl - 1 });
  }

  #deliver(packet: Packet): boolean {
    const receive = this.#hosts.get(packet.to.address);
    if (!receive) return false;
    this.#clock.later(() => receive(packet));
    return true;
  }
}
