import type { Endpoint } from "@awl/wire";
import type { Role } from "../handshake/role.js";
import { Clock, Internet, type NatBox, type Network, type Packet, plugStunServer, Router } from "./network.test-support.js";
import { Session } from "./session.js";
import type { PathEvent, SessionEvent, SessionInput } from "./session-io.js";

const STUN: Endpoint = { address: "203.0.113.1", port: 3478 };

export interface DuoOptions {
  readonly listener: readonly NatBox[];
  readonly connector: readonly NatBox[];
  /** The outermost boxes of both are one and the same router. */
  readonly shared?: boolean;
  readonly seed?: number;
  readonly delayMs?: number;
  readonly loss?: number;
  /** One way over the rendezvous. @default 5 */
  readonly signalMs?: number;
  /** How much later the connector begins. @default 0 */
  readonly skewMs?: number;
  /** @default it is there */
  readonly stun?: boolean;
}

/** Two sessions behind NATs, a STUN server, and a rendezvous that forwards their control messages. */
export class Duo {
  readonly clock: Clock;
  readonly internet: Internet;
  readonly listener: Side;
  readonly connector: Side;
  signalUp = true;

  constructor(options: DuoOptions) {
    this.clock = new Clock(options.seed ?? 1);
    this.internet = new Internet(this.clock, { delayMs: options.delayMs ?? 5, loss: options.loss ?? 0 });
    if (options.stun !== false) plugStunServer(this.internet, STUN);
    const routers = layRouters(this.clock, this.internet, "198.18.1", options.listener);
    const outer = options.shared ? routers.slice(0, 1) : [];
    const inner = layRouters(
      this.clock,
      outer[0] ?? this.internet,
      options.shared ? "100.64.9" : "198.18.2",
      options.connector.slice(outer.length),
    );
    const keys = [1, 2, 3, 4].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer, Buffer, Buffer];
    const [a, b, c, d] = keys;
    const make = (
      role: Role,
      stack: readonly Router[],
      address: string,
      sessionKeys: ConstructorParameters<typeof Session>[0]["keys"],
      startedAt: number,
    ) => new Side(this, role, stack, stack.at(-1) ?? this.internet, address, sessionKeys, startedAt, options.signalMs ?? 5);
    const sameLan = options.shared && options.connector.length === 1 && options.listener.length === 1;
    const here = options.listener.length === 0 ? "198.19.1.10" : "192.168.1.10";
    const there = options.connector.length === 0 ? "198.19.2.10" : sameLan ? "192.168.1.11" : "192.168.1.20";
    this.listener = make("listener", routers, here, { checks: { send: a, receive: b }, datagrams: { send: c, receive: d } }, 0);
    this.connector = make(
      "connector",
      [...outer, ...inner],
      there,
      { checks: { send: b, receive: a }, datagrams: { send: d, receive: c } },
      options.skewMs ?? 0,
    );
    this.listener.begin(0);
    this.connector.begin(options.skewMs ?? 0);
  }

  /** Runs until both sides have a path, or both have given up. */
  connect(ms = 10_000): { listener: PathEvent | undefined; connector: PathEvent | undefined } {
    this.clock.runFor(ms, () => this.sides.every((side) => side.path) || this.sides.every((side) => side.closed));
    return { listener: this.listener.path, connector: this.connector.path };
  }

  get sides(): readonly Side[] {
    return [this.listener, this.connector];
  }

  /** The rendezvous dies, or comes back. */
  setSignal(up: boolean): void {
    this.signalUp = up;
    for (const side of this.sides) side.feed({ type: "signal", up });
  }

  other(side: Side): Side {
    return side === this.listener ? this.connector : this.listener;
  }
}

export class Side {
  readonly events: SessionEvent[] = [];
  readonly session: Session;
  readonly routers: readonly Router[];
  /** Datagrams sent. */
  sent = 0;
  /** The most datagrams that one endpoint got in one second. */
  busiest = 0;
  readonly #sentInSecond = new Map<string, number>();
  #duo: Duo;
  #network: Network;
  #address: string;
  #signalMs: number;
  #nextPort: number;
  readonly #ports = new Map<number, number>();
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(
    duo: Duo,
    role: Role,
    routers: readonly Router[],
    network: Network,
    address: string,
    keys: ConstructorParameters<typeof Session>[0]["keys"],
    startedAt: number,
    signalMs: number,
  ) {
    this.#duo = duo;
    this.routers = routers;
    this.#network = network;
    this.#address = address;
    this.#signalMs = signalMs;
    this.#nextPort = role === "listener" ? 40_000 : 50_000;
    const random = (length: number) => Buffer.from(Array.from({ length }, () => Math.trunc(duo.clock.random() * 256)));
    this.session = new Session({ role, keys, families: [4], stun: [STUN], own: new Set([address]), startedAt, random });
  }

  begin(at: number): void {
    this.#network.plug(this.#address, (packet) => this.#arrived(packet));
    this.#duo.clock.later(() => this.feed({ type: "signal", up: true }), at);
  }

  get path(): PathEvent | undefined {
    let path: PathEvent | undefined;
    for (const event of this.events) {
      if (event.event === "path") path = event;
      if (event.event === "lost") path = undefined;
    }
    return path;
  }

  get closed(): Extract<SessionEvent, { event: "closed" }> | undefined {
    return this.events.find((event) => event.event === "closed");
  }

  feed(input: SessionInput): void {
    const { clock } = this.#duo;
    const isOver = this.closed !== undefined;
    for (const output of this.session.handle(clock.now, input)) {
      if (isOver) throw new Error(`said after the end: ${output.type}`);
      switch (output.type) {
        case "open": {
          const port = this.#nextPort++;
          this.#ports.set(output.socket, port);
          clock.later(() => this.feed({ type: "opened", socket: output.socket, hosts: [{ address: this.#address, port }] }));
          break;
        }
        case "close-socket":
          this.#ports.delete(output.socket);
          break;
        case "send": {
          const port = this.#ports.get(output.socket);
          if (port === undefined) throw new Error("sent on a socket that is not open");
          this.#count(output.to);
          this.#network.route({ from: { address: this.#address, port }, to: output.to, bytes: output.bytes, ttl: output.ttl ?? 64 });
          break;
        }
        case "control":
          if (this.#duo.signalUp)
            clock.later(() => this.#duo.signalUp && this.#duo.other(this).feed({ type: "control", bytes: output.bytes }), this.#signalMs);
          break;
        case "event":
          this.events.push(output.event);
          break;
        case "wake":
          this.#wake(output.at);
      }
    }
  }

  #count({ address, port }: Endpoint): void {
    this.sent += 1;
    const key = `${Math.trunc(this.#duo.clock.now / 1_000)} ${address} ${port}`;
    const count = (this.#sentInSecond.get(key) ?? 0) + 1;
    this.#sentInSecond.set(key, count);
    this.busiest = Math.max(this.busiest, count);
  }

  #wake(at: number): void {
    const { clock } = this.#duo;
    if (at <= clock.now) throw new Error(`a deadline in the past: ${at} at ${clock.now}`);
    this.#wakeAt = at;
    if (at < Number.POSITIVE_INFINITY) clock.at(at, () => this.#wakeAt === at && this.feed({ type: "tick" }));
  }

  #arrived({ to, from, bytes }: Packet): void {
    const [socket] = [...this.#ports].find(([, port]) => port === to.port) ?? [];
    if (socket !== undefined) this.feed({ type: "datagram", socket, from, bytes });
  }
}

/** Routers from the Internet inwards, each in its own address space. */
function layRouters(clock: Clock, parent: Network, prefix: string, boxes: readonly NatBox[]): Router[] {
  const routers: Router[] = [];
  for (const [i, box] of boxes.entries()) {
    const outside = i === 0 ? `${prefix}.1` : `100.64.${prefix.endsWith("1") ? 1 : 2}.1`;
    routers.push(new Router(clock, routers.at(-1) ?? parent, outside, box));
  }
  return routers;
}
