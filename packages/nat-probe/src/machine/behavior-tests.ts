import type { Endpoint } from "@awl/wire";
import type { Filtering, Mapping } from "../behavior.js";
import type { Desk } from "./desk.js";
import type { Obstacle } from "./evidence.js";
import type { Exchange, SocketId } from "./exchange.js";
import { type FilteringOutcome, FilteringTest } from "./filtering-test.js";
import { Jury } from "./jury.js";
import { MappingTest } from "./mapping-test.js";
import type { BehaviorServer } from "./server.js";

/**
 * All tests that a server with two addresses allows, side by side, each try on a fresh socket: a socket that has sent to the
 * server's other address lets that address in, and one that got an uninvited answer may be mapped anew by its router.
 */
export class BehaviorTests {
  readonly #desk: Desk;
  readonly #server: BehaviorServer;
  readonly #mapping: Jury<MappingTest, Mapping>;
  readonly #byAddress: Jury<FilteringTest, FilteringOutcome>;
  readonly #byPort: Jury<FilteringTest, FilteringOutcome>;
  /** Shows that the server does answer from its other endpoint, where it can be shown: see `#askCapability`. */
  #capability: Exchange | undefined;

  /** `primaries`: exchanges with `server.primary`, possibly under way, on sockets that have sent to no other endpoint of the server. */
  constructor(now: number, desk: Desk, server: BehaviorServer, primaries: readonly Exchange[], fresh: () => SocketId) {
    const given = [...primaries];
    const primary = (at: number) => given.shift() ?? desk.ask(at, { socket: fresh(), to: server.primary });
    const filtering = (ip: boolean) => {
      const summon = (at: number) => new FilteringTest(at, desk, server, fresh(), { ip, port: true });
      return new Jury(now, summon, ({ outcome }) => outcome);
    };
    this.#desk = desk;
    this.#server = server;
    this.#mapping = new Jury<MappingTest, Mapping>(
      now,
      (at) => new MappingTest(at, desk, server, primary(at)),
      ({ verdict }) => verdict,
    );
    this.#byAddress = filtering(true);
    this.#byPort = filtering(false);
  }

  advance(now: number): void {
    this.#mapping.advance(now);
    if (this.#mapping.verdict === "endpoint-independent") this.#askCapability(now);
    this.#byAddress.advance(now);
    this.#byPort.advance(now);
  }

  /** When `advance` will have something to do that no datagram announces. */
  get deadline(): number {
    return Math.min(...[...this.#byAddress.tests, ...this.#byPort.tests].map(({ deadline }) => deadline));
  }

  get ended(): boolean {
    return this.#mapping.verdict !== undefined && this.filtering !== undefined && this.#capability?.state !== "waiting";
  }

  get mapping(): Mapping {
    const verdict = this.#mapping.verdict;
    return verdict === undefined || verdict === "disputed" ? "unknown" : verdict;
  }

  /** `undefined`: not known yet. */
  get filtering(): Filtering | undefined {
    const byAddress = this.#byAddress.verdict;
    if (byAddress === undefined) return undefined;
    if (byAddress === "open") return "endpoint-independent";
    if (byAddress !== "closed" || !this.#provesSilence) return "unknown";
    const byPort = this.#byPort.verdict;
    if (byPort === undefined) return undefined;
    if (byPort === "open") return "address-dependent";
    return byPort === "closed" ? "address-and-port-dependent" : "unknown";
  }

  /** The socket that `public` shows the outside of. */
  get socket(): SocketId {
    return this.#mapping.tests[0]?.socket ?? 0;
  }

  /** What that socket looks like to the server's two addresses. */
  get public(): { mapped: Endpoint; server: Endpoint }[] {
    return this.#mapping.tests[0]?.samples ?? [];
  }

  get obstacles(): Obstacle[] {
    const obstacles: Obstacle[] = [];
    const outcomes = [...this.#byAddress.tests, ...this.#byPort.tests].map(({ outcome }) => outcome);
    if (!this.#alternateAlive) obstacles.push("alternate-dead");
    if (outcomes.includes("unsupported") || (this.#capability && this.#capability.state !== "answered")) obstacles.push("server-refuses");
    if (this.#mapping.split || this.#byAddress.split || this.#byPort.split) obstacles.push("inconsistent");
    if (this.#desk.line.tooLossy && this.filtering !== "endpoint-independent") obstacles.push("lossy");
    return obstacles;
  }

  /**
   * Asks for an answer from the other endpoint on a mapping socket, which has already sent to that endpoint: no filter can be in
   * the way of it, so if none comes the server is to blame. With dependent mapping there is no such socket, since the answer goes to
   * the public endpoint that the primary sees, whose filter knows the primary only.
   */
  #askCapability(now: number): void {
    const witness = this.#mapping.tests.find(({ proves }) => proves.other);
    if (!witness) return;
    const { primary: to, other: from } = this.#server;
    this.#capability ??= this.#desk.ask(now, { socket: witness.socket, to, from, change: { ip: true, port: true } });
  }

  get #provesSilence(): boolean {
    return this.#alternateAlive && (!this.#capability || this.#capability.state === "answered");
  }

  get #alternateAlive(): boolean {
    return this.#mapping.tests.some(({ proves }) => proves.other) && this.#mapping.tests.some(({ proves }) => proves.otherPort);
  }
}
