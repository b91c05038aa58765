import { decodeMessage, type Endpoint, encodeMessage, formatEndpoint, Method, XorMappedAddress } from "@awl/wire";
import { randomFrom } from "./random.test-support.js";

/** A NAT in RFC 4787's words. */
export interface NatBox {
  readonly mapping: "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
  readonly filtering: "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
  /** Port-preserving, as Linux is; otherwise random. @default false */
  readonly preserving?: boolean;
  /** An uninvited packet takes the public port for its sender: our own flow to that sender then gets another. @default false */
  readonly inboundFirstRemaps?: boolean;
  /** Milliseconds that an idle flow lives. @default 300 s */
  readonly lifetimeMs?: number;
  /** Whether inside hosts reach each other through their public endpoints. @default false */
  readonly hairpin?: boolean;
  /** @default false */
  readonly blocksUdp?: boolean;
}

export interface Packet {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Buffer;
  readonly ttl: number;
}

interface Flow {
  readonly inside: Endpoint;
  readonly outside: Endpoint;
  readonly remote: Endpoint;
  usedAt: number;
}

type Receive = (packet: Packet) => void;

/** One router: its inside is a network with a switch, its outside is plugged into another network. */
export class Router implements Network {
  readonly #hosts = new Map<string, Network | Receive>();
  readonly #parent: Network;
  readonly #box: NatBox;
  readonly #address: string;
  readonly #clock: Clock;
  #flows: Flow[] = [];
  #blocked = new Set<string>();

  constructor(clock: Clock, parent: Network, address: string, box: NatBox) {
    this.#clock = clock;
    this.#parent = parent;
    this.#address = address;
    this.#box = box;
    parent.plug(address, this);
  }

  plug(address: string, host: Network | Receive): void {
    this.#hosts.set(address, host);
  }

  /** Forgets all flows, as a rebooted router does. */
  flush(): void {
    this.#flows = [];
    this.#blocked.clear();
  }

  /** A packet from inside. */
  route(packet: Packet): void {
    if (this.#deliver(packet)) return;
    if (packet.ttl <= 1 || this.#box.blocksUdp) return;
    const flow = this.#flowFrom(packet.from, packet.to);
    flow.usedAt = this.#clock.now;
    const translated = { ...packet, from: flow.outside, ttl: packet.ttl - 1 };
    if (packet.to.address !== this.#address) this.#parent.route(translated);
    else if (this.#box.hairpin) this.accept(translated);
  }

  /** A packet from outside, to this router's address. */
  accept(packet: Packet): void {
    if (packet.ttl <= 1 || this.#box.blocksUdp) return;
    const flow = this.#flowTo(packet);
    if (!flow) {
      if (this.#box.inboundFirstRemaps) this.#blocked.add(`${formatEndpoint(packet.to)}<${formatEndpoint(packet.from)}`);
      return;
    }
    flow.usedAt = this.#clock.now;
    this.#deliver({ ...packet, to: flow.inside, ttl: packet.ttl - 1 });
  }

  #deliver(packet: Packet): boolean {
    const host = this.#hosts.get(packet.to.address);
    if (!host) return false;
    if (typeof host === "function") this.#clock.later(() => host(packet));
    else host.accept(packet);
    return true;
  }

  #flowFrom(inside: Endpoint, remote: Endpoint): Flow {
    this.#expire();
    const same = (a: Endpoint, b: Endpoint) => a.address === b.address && a.port === b.port;
    const mine = this.#flows.filter((flow) => same(flow.inside, inside));
    const known = mine.find((flow) => same(flow.remote, remote));
    if (known) return known;
    const reusable = mine.find((flow) => {
      if (this.#box.mapping === "endpoint-independent") return true;
      return this.#box.mapping === "address-dependent" && flow.remote.address === remote.address;
    });
    const outside = this.#free(reusable?.outside ?? this.#allocate(inside), remote);
    const flow = { inside, outside, remote, usedAt: this.#clock.now };
    this.#flows.push(flow);
    return flow;
  }

  #free(outside: Endpoint, remote: Endpoint): Endpoint {
    return this.#blocked.has(`${formatEndpoint(outside)}<${formatEndpoint(remote)}`) ? this.#randomEndpoint() : outside;
  }

  #allocate(inside: Endpoint): Endpoint {
    return this.#box.preserving ? { address: this.#address, port: inside.port } : this.#randomEndpoint();
  }

  #randomEndpoint(): Endpoint {
    return { address: this.#address, port: 10_000 + Math.trunc(this.#clock.random() * 50_000) };
  }

  #flowTo({ from, to }: Packet): Flow | undefined {
    this.#expire();
    return this.#flows.find(({ outside, remote }) => {
      if (outside.port !== to.port) return false;
      if (this.#box.filtering === "endpoint-independent") return true;
      return remote.address === from.address && (this.#box.filtering === "address-dependent" || remote.port === from.port);
    });
  }

  #expire(): void {
    const oldest = this.#clock.now - (this.#box.lifetimeMs ?? 300_000);
    this.#flows = this.#flows.filter(({ usedAt }) => usedAt >= oldest);
  }
}

/** What hosts and routers are plugged into. */
export interface Network {
  plug(address: string, host: Network | Receive): void;
  route(packet: Packet): void;
  accept(packet: Packet): void;
}

/** The network of public addresses: one hop, one delay, some loss. */
export class Internet implements Network {
  readonly #clock: Clock;
  readonly #hosts = new Map<string, Network | Receive>();
  readonly #delayMs: number;
  loss: number;
  /** Packets that were sent into it, by destination. */
  readonly sentTo = new Map<string, number>();

  constructor(clock: Clock, { delayMs = 5, loss = 0 }: { delayMs?: number; loss?: number } = {}) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.loss = loss;
  }

  plug(address: string, host: Network | Receive): void {
    this.#hosts.set(address, host);
  }

  route(packet: Packet): void {
    this.sentTo.set(packet.to.address, (this.sentTo.get(packet.to.address) ?? 0) + 1);
    if (packet.ttl <= 1 || this.#clock.random() < this.loss) return;
    this.#clock.later(() => this.#pass({ ...packet, ttl: packet.ttl - 1 }), this.#delayMs);
  }

  accept(packet: Packet): void {
    this.route(packet);
  }

  #pass(packet: Packet): void {
    const host = this.#hosts.get(packet.to.address);
    if (typeof host === "function") host(packet);
    else host?.accept(packet);
  }
}

/** A STUN server with one address. */
export function plugStunServer(network: Network, at: Endpoint): void {
  network.plug(at.address, ({ from, bytes }) => {
    const request = decodeMessage(bytes);
    if (typeof request === "string") return;
    const answer = encodeMessage({
      method: Method.Binding,
      class: "success",
      transactionId: request.transactionId,
      attributes: [XorMappedAddress.of(from)],
    });
    network.route({ from: at, to: from, bytes: answer, ttl: 64 });
  });
}

/** More happens at no single moment. */
const MAX_STEPS = 10_000;

/** Virtual time, and everything that happens in it. */
export class Clock {
  now = 0;
  readonly random: () => number;
  #queue: { at: number; order: number; run: () => void }[] = [];
  #order = 0;
  #steps = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  later(run: () => void, ms = 0): void {
    this.at(this.now + ms, run);
  }

  /** At that very time: `now + (at - now)` may be a little earlier, and a machine asked too early asks again, for ever. */
  at(at: number, run: () => void): void {
    this.#queue.push({ at, order: this.#order++, run });
  }

  /** Lets time pass, until `done` says so at the latest. */
  runFor(ms: number, done: () => boolean = () => false): void {
    const end = this.now + ms;
    while (!done()) {
      this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#queue[0];
      if (!next || next.at > end) break;
      this.#queue.shift();
      this.#steps = next.at > this.now ? 0 : this.#steps + 1;
      if (this.#steps > MAX_STEPS) throw new Error(`time stands still at ${this.now}: a deadline spins`);
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    if (!done()) this.now = end;
  }
}
