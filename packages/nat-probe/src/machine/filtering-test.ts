import type { ChangeFlags, Endpoint } from "@awl/wire";
import type { Desk } from "./desk.js";
import type { Exchange, SocketId } from "./exchange.js";
import type { BehaviorServer } from "./server.js";

/**
 * - `open`: the server's answer from another endpoint came through.
 * - `closed`: it did not, and neither loss nor a dead line explains that.
 * - `unsupported`: the server refused, or answered from where it should not have.
 * - `unknown`: the line died during the test.
 */
export type FilteringOutcome = "open" | "closed" | "unsupported" | "unknown";

/**
 * Whether the NAT lets in an answer from an endpoint of the server that this socket never sent to. RFC 5780 section 4.4.
 *
 * Works in rounds: a request for such an answer, and right behind it a control, an ordinary request on the same socket.
 * A round counts only once its control was answered, so a stalled server, a dead line or a sleeping laptop cannot pass for a
 * filter; and there are as many rounds as it takes until loss cannot either.
 */
export class FilteringTest {
  /** Set when the test has ended. */
  outcome: FilteringOutcome | undefined;
  readonly socket: SocketId;
  readonly #desk: Desk;
  readonly #server: BehaviorServer;
  readonly #change: ChangeFlags;
  /** Makes the mapping whose filter is tested, and shows that the line works. */
  readonly #opening: Exchange;
  #probe: Exchange | undefined;
  #control: Exchange | undefined;
  #rounds = 0;
  #roundEndsAt = 0;

  /** `socket` must be fresh. */
  constructor(now: number, desk: Desk, server: BehaviorServer, socket: SocketId, change: ChangeFlags) {
    this.socket = socket;
    this.#desk = desk;
    this.#server = server;
    this.#change = change;
    this.#opening = desk.ask(now, { socket, to: server.primary });
  }

  advance(now: number): void {
    if (this.outcome || this.#opening.state === "waiting") return;
    this.outcome = this.#judge(now);
    if (!this.outcome && now >= this.deadline) this.#nextRound(now);
  }

  /** When `advance` will have something to do that no datagram announces. */
  get deadline(): number {
    const waiting = this.#opening.state === "waiting" || this.#control?.state === "waiting";
    return this.outcome || waiting ? Number.POSITIVE_INFINITY : this.#roundEndsAt;
  }

  #judge(now: number): FilteringOutcome | undefined {
    if (this.#opening.state !== "answered") return "unknown";
    switch (this.#probe?.state) {
      case "answered":
        return "open";
      case "refused":
      case "misdirected":
        return "unsupported";
    }
    if (this.#rounds === 0 || now < this.deadline) return undefined;
    if (this.#control?.state !== "answered") return "unknown";
    return this.#rounds >= this.#desk.line.sendsToBelieve ? "closed" : undefined;
  }

  #nextRound(now: number): void {
    this.#probe ??= this.#desk.askPaced(now, this.#question(), () => Number.POSITIVE_INFINITY);
    this.#probe.again(now);
    this.#control = this.#desk.ask(now, { socket: this.socket, to: this.#server.primary });
    this.#rounds += 1;
    this.#roundEndsAt = now + this.#desk.line.rtoMs;
  }

  #question() {
    return { socket: this.socket, to: this.#server.primary, change: this.#change, from: changedEndpoint(this.#server, this.#change) };
  }
}

/** From where a server answers a CHANGE-REQUEST that it got on its primary endpoint. RFC 5780 table 1. */
function changedEndpoint(server: BehaviorServer, { ip, port }: ChangeFlags): Endpoint {
  if (ip) return port ? server.other : server.otherAddress;
  return port ? server.otherPort : server.primary;
}
