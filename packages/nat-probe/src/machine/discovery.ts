import type { Endpoint } from "@awl/wire";
import type { Desk } from "./desk.js";
import type { Exchange, SocketId } from "./exchange.js";
import { type BehaviorServer, behaviorServer } from "./server.js";

/** Nothing is known of the line yet: waits of 1, 2, 4, 8 and 7 parts of the time that is given. */
const FIRST_WAITS = [1, 2, 4, 8, 7];
const PARTS = FIRST_WAITS.reduce((sum, part) => sum + part, 0);

/** How long an answered but plain server waits for a better one to answer, in retransmission timeouts. */
const GRACE_RTOS = 2;

/** RFC 5780 section 4.2: does UDP work at all, and which server can do the tests? Asked on both of the sockets that mapping is tested on. */
export class Discovery {
  /** Set when the discovery has ended. */
  outcome: "blocked" | "plain" | BehaviorServer | undefined;
  readonly #desk: Desk;
  readonly #exchanges: readonly Exchange[];
  #firstAnswerAt: number | undefined;

  constructor(now: number, desk: Desk, servers: readonly Endpoint[], sockets: readonly SocketId[], timeoutMs: number) {
    this.#desk = desk;
    const waits = FIRST_WAITS.map((part) => (part * timeoutMs) / PARTS);
    this.#exchanges = servers.flatMap((to) => sockets.map((socket) => desk.askPaced(now, { socket, to }, (sends) => waits[sends - 1])));
  }

  advance(now: number): void {
    if (this.outcome) return;
    const capable = this.answered.find(({ question, other }) => behaviorServer(question.to, other));
    if (capable) {
      this.outcome = behaviorServer(capable.question.to, capable.other);
      return;
    }
    if (this.answered.length > 0) this.#firstAnswerAt ??= now;
    if (this.#exchanges.some(({ state }) => state === "waiting") && now < this.deadline) return;
    this.outcome = this.heard.length > 0 ? "plain" : "blocked";
  }

  /** When `advance` will have something to do that no datagram announces. */
  get deadline(): number {
    if (this.outcome || this.#firstAnswerAt === undefined) return Number.POSITIVE_INFINITY;
    return this.#firstAnswerAt + GRACE_RTOS * this.#desk.line.rtoMs;
  }

  get answered(): Exchange[] {
    return this.#exchanges.filter(({ state }) => state === "answered");
  }

  /** Exchanges in which something came back, be it nonsense: UDP is not blocked then. */
  get heard(): Exchange[] {
    return this.#exchanges.filter(({ state }) => state !== "waiting" && state !== "silent");
  }

  /** The exchanges with one server, one for each socket. */
  with(server: Endpoint): Exchange[] {
    return this.#exchanges.filter(({ question }) => question.to === server);
  }
}
