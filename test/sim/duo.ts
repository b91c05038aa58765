import type { SessionOptions } from "@awl/peer";
import type { NatKindName } from "../grid/nat-kinds.js";
import { Clock } from "./clock.js";
import type { Host } from "./host.js";
import { Internet } from "./internet.js";
import { type LineConditions, PERFECT } from "./line.js";
import { Random } from "./random.js";
import { SessionSide } from "./session-side.js";
import { planOf, Site, type SitePlan } from "./site.js";
import { plugStunHost, STUN_SERVERS } from "./stun-host.js";

/** Two peers, and what is between them. */
export interface DuoOptions {
  /** Of a kind, or made up. */
  readonly connector: NatKindName | SitePlan;
  readonly listener: NatKindName | SitePlan;
  /**
   * Who is behind one and the same router: both in its LAN, or each in a home of its own behind this carrier.
   * @default they have nothing in common
   */
  readonly shared?: "lan" | NatKindName | SitePlan;
  /** @default 1 */
  readonly seed?: number;
  /** Of the whole way between the two: the line of each has half of it. @default 5 ms and nothing else */
  readonly way?: Partial<LineConditions>;
  /** Each one's own line, in place of `way`. */
  readonly lines?: { readonly connector: LineConditions; readonly listener: LineConditions };
  /**
   * One way over the rendezvous, which loses nothing and keeps the order. Slower than the way between the two, or checks would
   * overtake the openers before them, and no router that confirms them would be met.
   * @default 8
   */
  readonly signalMs?: number;
  /** How much later the connector begins. @default 0 */
  readonly skewMs?: number;
  /** Whether the STUN server is there. @default true */
  readonly stun?: boolean;
}

const DEFAULT_SIGNAL_MS = 8;

/** Two sessions on hosts behind NATs, a STUN server, and a rendezvous that forwards their control messages. */
export class Duo {
  readonly clock = new Clock();
  readonly internet: Internet;
  readonly connector: SessionSide;
  readonly listener: SessionSide;
  /** Of the connector, then of the listener. */
  readonly sites: readonly [Site, Site];
  readonly #random: Random;
  readonly #signalMs: number;
  #signalUp = true;

  constructor(options: DuoOptions) {
    this.#random = new Random(options.seed ?? 1);
    this.#signalMs = options.signalMs ?? DEFAULT_SIGNAL_MS;
    this.internet = new Internet(this.clock, this.#random.fork());
    if (options.stun !== false) plugStunHost(this.clock, this.internet);
    this.sites = this.#buildSites(options);
    const [here, there] = this.sites;
    const skewMs = options.skewMs ?? 0;
    this.connector = this.#side("connector", here.addHost(), skewMs);
    this.listener = this.#side("listener", there.addHost(), 0);
    this.connector.onControl = (bytes) => this.#forward(this.listener, bytes);
    this.listener.onControl = (bytes) => this.#forward(this.connector, bytes);
    for (const [side, at] of [
      [this.listener, 0],
      [this.connector, skewMs],
    ] as const)
      this.clock.later(() => side.feed({ type: "signal", up: this.#signalUp }), at);
  }

  /** Runs until both sides have a path, or both have given up. */
  connect(ms = 10_000): this {
    this.clock.runFor(ms, () => this.sides.every(({ path }) => path) || this.sides.every(({ closed }) => closed));
    return this;
  }

  get sides(): readonly [SessionSide, SessionSide] {
    return [this.connector, this.listener];
  }

  /** The rendezvous dies, or comes back. */
  setSignal(up: boolean): void {
    this.#signalUp = up;
    for (const side of this.sides) side.feed({ type: "signal", up });
  }

  /** The way between the two is so from now on. */
  setWay(way: Partial<LineConditions>): void {
    const conditions = halfOf(way);
    for (const { up, down } of this.sites.flatMap(({ accesses }) => accesses)) up.conditions = down.conditions = conditions;
  }

  /** All routers forget their flows. */
  flush(): void {
    for (const { routers } of this.sites) for (const router of routers) router.flush();
  }

  #buildSites({ connector, listener, shared, way, lines }: DuoOptions): [Site, Site] {
    const ground = { clock: this.clock, random: this.#random.fork() };
    const half = halfOf(way ?? { delayMs: 5 });
    const plan = (of: NatKindName | SitePlan) => (typeof of === "string" ? planOf(of) : of);
    const first = plan(shared === undefined || shared === "lan" ? connector : shared);
    const site = Site.on(this.internet, ground, 1, first, lines?.connector ?? half);
    if (shared === "lan") return [site, site];
    if (shared === undefined) return [site, Site.on(this.internet, ground, 2, plan(listener), lines?.listener ?? half)];
    return [site.home(ground, 11, plan(connector)), site.home(ground, 12, plan(listener))];
  }

  #side(role: "connector" | "listener", host: Host, startedAt: number): SessionSide {
    const options = { role, keys: keysOf(role), stun: STUN_SERVERS, startedAt };
    return new SessionSide(this.clock, this.#random.fork(), host, options);
  }

  #forward(to: SessionSide, bytes: Buffer): void {
    if (this.#signalUp) this.clock.later(() => this.#signalUp && to.feed({ type: "control", bytes }), this.#signalMs);
  }
}

/** What both ends of a session have agreed on. */
export function keysOf(role: "connector" | "listener"): SessionOptions["keys"] {
  const [a, b, c, d] = [1, 2, 3, 4].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer, Buffer, Buffer];
  return role === "listener"
    ? { checks: { send: a, receive: b }, datagrams: { send: c, receive: d } }
    : { checks: { send: b, receive: a }, datagrams: { send: d, receive: c } };
}

/** Lines of which two in a row are this way. Jitter, duplication and reordering of the two add up. */
function halfOf({ delayMs = 0, jitterMs = 0, loss = 0, duplication = 0, reordering = 0 }: Partial<LineConditions>): LineConditions {
  return {
    ...PERFECT,
    delayMs: delayMs / 2,
    jitterMs: jitterMs / 2,
    loss: 1 - Math.sqrt(1 - loss),
    duplication: duplication / 2,
    reordering: reordering / 2,
  };
}
