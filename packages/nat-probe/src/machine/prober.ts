import { type Endpoint, sameEndpoint } from "@awl/wire";
import type { Filtering, Mapping } from "../behavior.js";
import { BehaviorTests } from "./behavior-tests.js";
import { Desk, type Send } from "./desk.js";
import { Discovery } from "./discovery.js";
import type { Evidence, Obstacle } from "./evidence.js";
import type { SocketId } from "./exchange.js";
import { plainMapping } from "./plain-tests.js";

export interface ProberOptions {
  /** STUN servers, all of one address family. The first to answer that supports behaviour discovery does the tests. */
  readonly servers: readonly Endpoint[];
  /**
   * The address that this host sends from towards the servers, as a connected socket shows it.
   * Comparing with the unspecified address of an unconnected one would find a NAT everywhere.
   */
  readonly localAddress: string | undefined;
  /** How long to wait for the first answer, milliseconds. */
  readonly timeoutMs: number;
  /** Unguessable bytes. */
  readonly random: (bytes: number) => Buffer;
}

export type ProberInput =
  | { readonly type: "datagram"; readonly socket: SocketId; readonly from: Endpoint; readonly bytes: Uint8Array }
  /** A socket that was asked for is bound, to this local port. */
  | { readonly type: "opened"; readonly socket: SocketId; readonly port: number }
  | { readonly type: "tick" };

export type ProberOutput =
  /** Open a fresh socket, on a port not used before in this probe. Sends on it may follow at once. */
  | { readonly type: "open"; readonly socket: SocketId }
  | ({ readonly type: "send" } & Send)
  /** Call `handle` again at this time at the latest, in place of any time said before. */
  | { readonly type: "wake"; readonly at: number }
  /** The last output there is. */
  | { readonly type: "done"; readonly evidence: Evidence };

/**
 * NAT behaviour discovery (RFC 5780) as a pure machine: it is handed time, randomness and datagrams, and says what to send.
 * Call `handle` with a tick first, then with whatever happens, until it says `done`.
 *
 * First, two sockets ask every server ({@link Discovery}); then everything else runs side by side ({@link BehaviorTests}),
 * so that a verdict takes two round trips and, where something stays silent, the time to be sure of that.
 */
export class Prober {
  readonly #options: ProberOptions;
  readonly #desk: Desk;
  readonly #localPorts = new Map<SocketId, number>();
  #sockets = 0;
  #announced = 0;
  #discovery: Discovery | undefined;
  #tests: BehaviorTests | undefined;
  #done = false;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#desk = new Desk(options.random);
  }

  /** `now`: milliseconds of any clock that never goes back. */
  handle(now: number, input: ProberInput): ProberOutput[] {
    if (this.#done) return [];
    if (input.type === "datagram") this.#desk.receive(now, input.socket, input.from, input.bytes);
    if (input.type === "opened") this.#localPorts.set(input.socket, input.port);
    this.#advance(now);
    const sends = this.#desk.poll(now);
    // Polling may have given an exchange up, and a test may have waited for just that.
    this.#advance(now);
    sends.push(...this.#desk.poll(now));
    return this.#outputs(sends);
  }

  /** Datagrams so far that answered no question of this probe. */
  get dropped(): number {
    return this.#desk.dropped;
  }

  #advance(now: number): void {
    const { servers, timeoutMs } = this.#options;
    this.#discovery ??= new Discovery(now, this.#desk, servers, [this.#fresh(), this.#fresh()], timeoutMs);
    this.#discovery.advance(now);
    const server = this.#discovery.outcome;
    if (typeof server !== "object") return;
    this.#tests ??= new BehaviorTests(now, this.#desk, server, this.#discovery.with(server.primary), () => this.#fresh());
    this.#tests.advance(now);
  }

  #outputs(sends: readonly Send[]): ProberOutput[] {
    const evidence = this.#evidence();
    if (evidence) {
      this.#done = true;
      return [{ type: "done", evidence }];
    }
    const outputs: ProberOutput[] = [];
    while (this.#announced < this.#sockets) outputs.push({ type: "open", socket: this.#announced++ });
    for (const send of sends) outputs.push({ type: "send", ...send });
    outputs.push({ type: "wake", at: this.#deadline });
    return outputs;
  }

  #evidence(): Evidence | undefined {
    const outcome = this.#discovery?.outcome;
    if (outcome === undefined) return undefined;
    if (outcome === "blocked") {
      return this.#conclude(0, { udp: "blocked", mapping: "unknown", filtering: "unknown", public: [], obstacles: [] });
    }
    if (outcome === "plain") {
      const { socket, mapping, public: seen, obstacles } = plainMapping(this.#discovery?.answered ?? []);
      const misdirected = this.#discovery?.heard.some(({ state }) => state === "misdirected");
      const all: Obstacle[] = misdirected ? ["server-misdirects", ...obstacles] : [...obstacles];
      return this.#conclude(socket, { udp: "open", mapping, filtering: "unknown", public: seen, obstacles: all });
    }
    if (!this.#tests?.ended) return undefined;
    const { socket, mapping, filtering = "unknown", public: seen, obstacles } = this.#tests;
    return this.#conclude(socket, { udp: "open", mapping, filtering, public: seen, obstacles });
  }

  /** `socket`: the one that `found.public` shows the outside of. */
  #conclude(socket: SocketId, found: Omit<Evidence, "confidence" | "local">): Evidence {
    const local = this.#localEndpoint(socket);
    const direct = local !== undefined && found.public.length > 0 && found.public.every(({ mapped }) => sameEndpoint(mapped, local));
    const mapping: Mapping = direct ? "none" : found.mapping;
    return { ...found, mapping, local, confidence: isCertain(found.udp, mapping, found.filtering, found.obstacles) ? "high" : "low" };
  }

  #localEndpoint(socket: SocketId): Endpoint | undefined {
    const port = this.#localPorts.get(socket);
    const address = this.#options.localAddress;
    return port === undefined || address === undefined ? undefined : { address, port };
  }

  get #deadline(): number {
    return Math.min(this.#desk.deadline, this.#discovery?.deadline ?? 0, this.#tests?.deadline ?? Number.POSITIVE_INFINITY);
  }

  #fresh(): SocketId {
    return this.#sockets++;
  }
}

function isCertain(udp: Evidence["udp"], mapping: Mapping, filtering: Filtering, obstacles: readonly Obstacle[]): boolean {
  if (udp === "blocked") return true;
  return mapping !== "unknown" && filtering !== "unknown" && obstacles.length === 0;
}
