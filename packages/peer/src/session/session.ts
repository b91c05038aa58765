import type { Endpoint } from "@awl/wire";
import { strategyOf } from "./candidate.js";
import { Checks } from "./check.js";
import { ControlLink } from "./control-link.js";
import type { ControlMessage, NatSummary } from "./control-message.js";
import type { SocketId } from "./gathering.js";
import { LADDER_LENGTH } from "./ladder.js";
import type { Pair } from "./pair.js";
import { PathKeeper } from "./path-keeper.js";
import { Pings } from "./pings.js";
import { Puncher } from "./puncher.js";
import { whyDirect, whyNoPath } from "./reason.js";
import { Kind, SealedChannel } from "./sealed.js";
import type { SessionEvent, SessionInput, SessionOptions, SessionOutput } from "./session-io.js";

/** A session that has no path, and cannot find one, is given up after this long. */
const NO_PATH_MS = 300_000;

/** The code of a session's end without a path. */
const NO_PATH = "no-path";

/** A first connection whose peer does not even send candidates is given up after this long. */
const NO_CANDIDATES_MS = 15_000;

/** What arrived and was not the peer's, by what was wrong with it. */
export type SessionCounters = Record<"not-a-check" | "not-sealed" | "forged" | "replayed" | "no-path", number>;

/**
 * A session between two peers who have agreed on keys: finds a path, keeps it, and finds another when it dies. Pure.
 *
 * Call `handle` with a tick first, then with whatever happens. After the event `closed` it says nothing more.
 */
export class Session {
  readonly counters: SessionCounters = { "not-a-check": 0, "not-sealed": 0, forged: 0, replayed: 0, "no-path": 0 };
  readonly #options: SessionOptions;
  readonly #checks: Checks;
  readonly #sealed: SealedChannel;
  readonly #control = new ControlLink();
  readonly #puncher: Puncher;
  readonly #pings = new Pings();
  #outputs: SessionOutput[] = [];
  #nextSocket: SocketId;
  #path: PathKeeper | undefined;
  #everConnected = false;
  #begun = false;
  #closed = false;
  #pathlessSince = 0;
  #local: NatSummary | undefined;
  #remote: NatSummary | undefined;

  constructor(options: SessionOptions) {
    const { role, keys, families, stun, own, random } = options;
    this.#options = options;
    this.#nextSocket = options.firstSocket ?? 0;
    this.#checks = new Checks(role, keys.checks);
    this.#sealed = new SealedChannel(keys.datagrams);
    this.#puncher = new Puncher({
      role,
      checks: this.#checks,
      families,
      stun,
      own,
      random,
      say: (now, message) => this.#control.send(now, message),
      open: (family) => this.#open(family),
      close: (socket) => void this.#outputs.push({ type: "close-socket", socket }),
    });
  }

  /** `now`: milliseconds of any clock that never goes back. */
  handle(now: number, input: SessionInput): SessionOutput[] {
    if (this.#closed) return [];
    if (!this.#begun) {
      this.#begun = true;
      this.#pathlessSince = now;
      this.#puncher.begin(now, this.#options.spare);
    }
    this.#take(now, input);
    if (!this.#closed) this.#advance(now);
    return this.#outputs.splice(0);
  }

  #take(now: number, input: SessionInput): void {
    switch (input.type) {
      case "tick":
        return;
      case "datagram":
        return this.#receive(now, input.socket, input.from, input.bytes);
      case "opened":
        return this.#puncher.opened(now, input.socket, input.hosts);
      case "signal":
        this.#control.setCarrier(now, "signal", input.up);
        return input.up ? this.#puncher.reconnected(now) : undefined;
      case "control":
        return this.#obey(now, this.#control.receive(now, "signal", input.bytes));
      case "nat":
        this.#local = input.nat;
        return this.#control.send(now, { type: "nat", nat: input.nat });
      case "data":
        return this.#send(now, Kind.Data, input.payload);
      case "ping":
        return this.#send(now, Kind.Ping, this.#pings.next(now));
      case "close":
        return this.#leave(now, input.code, input.text);
    }
  }

  #receive(now: number, socket: SocketId, from: Endpoint, bytes: Buffer): void {
    if ((bytes[0] ?? 0xff) < 0x04) {
      if (!this.#puncher.receive(now, socket, from, bytes)) this.#receiveCheck(now, socket, from, bytes);
      return;
    }
    const opened = this.#sealed.open(bytes);
    if (typeof opened === "string") {
      this.counters[opened]++;
      return;
    }
    this.#heard(now, socket, from, opened.kind === Kind.Data || opened.kind === Kind.Ping);
    switch (opened.kind) {
      case Kind.Data:
        return this.#emit({ event: "data", payload: opened.payload });
      case Kind.Control:
        return this.#obey(now, this.#control.receive(now, "path", opened.payload));
      case Kind.Ping:
        return this.#send(now, Kind.Pong, opened.payload, true);
      case Kind.Pong: {
        const pong = this.#pings.answered(now, opened.payload);
        if (pong) this.#emit({ event: "pong", ...pong, kind: "direct" });
      }
    }
  }

  #receiveCheck(now: number, socket: SocketId, from: Endpoint, bytes: Buffer): void {
    const check = this.#checks.open(bytes);
    if (typeof check === "string") {
      this.counters[check]++;
      return;
    }
    const pair = this.#puncher.checked(now, socket, from, check);
    this.#heard(now, socket, from, false);
    if (pair && (this.#puncher.active || !this.#path?.shows(pair))) this.#adopt(now, pair);
  }

  #heard(now: number, socket: SocketId, from: Endpoint, flowing: boolean): void {
    if (this.#path?.pair.is(socket, from)) this.#path.heard(now, flowing);
  }

  #obey(now: number, message: ControlMessage | undefined): void {
    switch (message?.type) {
      case "candidates":
        if (this.#puncher.offered(now, message)) this.#path?.doubt(now);
        return;
      case "opened":
        return this.#puncher.peerOpened(message.try);
      case "nat":
        this.#remote = message.nat;
        return this.#emit({ event: "peer-nat", nat: message.nat });
      case "bye":
        if (message.code === NO_PATH && !this.#path) return this.#endPathless(now, whyNoPath(this.#local, this.#remote));
        return this.#close(message.code, message.text);
    }
  }

  /** Takes a pair that both sides know to work as the path. */
  #adopt(now: number, pair: Pair): void {
    const startedAt = this.#puncher.startedAt ?? now;
    const before = this.#path;
    this.#path = new PathKeeper(now, pair, () => this.#options.random(4).readUInt32BE() / 2 ** 32);
    this.#everConnected = true;
    const { packets } = this.#puncher;
    this.#puncher.settle(now, pair);
    this.#control.setCarrier(now, "path", true);
    const { mapped } = this.#path;
    // Only the peer had lost it.
    if (before?.shows(pair)) return;
    const local = this.#puncher.candidates.find(({ address, port }) => address === mapped.address && port === mapped.port);
    const strategy = strategyOf(pair.remote, mapped);
    const rttMs = pair.rttMs ?? 0;
    const punchMs = now - startedAt;
    this.#emit({
      event: "path",
      kind: "direct",
      pair: { local: { type: "peer-reflexive", ...local, ...mapped }, remote: pair.remote },
      strategy,
      elapsedMs: now - this.#options.startedAt,
      punchMs,
      rttMs,
    });
    this.#explain("direct", whyDirect(this.#local, this.#remote, strategy), strategy, packets, punchMs);
  }

  #advance(now: number): void {
    this.#puncher.advance(now, this.#puncher.active ? undefined : this.#path?.pair, this.#control.rttMs);
    this.#keepPath(now);
    // Before what is said of it: an opener must not come later than the word that it was sent.
    for (const send of this.#puncher.poll(now)) {
      this.#outputs.push({ type: "send", ...send });
      if (!send.isAnswer && this.#path?.pair.is(send.socket, send.to)) this.#path.sent(now);
    }
    this.#flushControl(now);
    if (this.#giveUp(now)) return;
    this.#outputs.push({ type: "wake", at: this.#deadline });
  }

  #keepPath(now: number): void {
    const path = this.#path;
    switch (path?.advance(now)) {
      case "probe":
        return this.#puncher.probe(now, path.pair);
      case "lost":
        this.#path = undefined;
        this.#pathlessSince = now;
        this.#control.setCarrier(now, "path", false);
        this.#emit({ event: "lost" });
        if (!this.#puncher.active) this.#puncher.begin(now);
        // What `begin` has just put on the way is sent in this turn.
        this.#puncher.advance(now, undefined, this.#control.rttMs);
    }
  }

  /** Ends a session that has nothing more to try; returns whether it did. */
  #giveUp(now: number): boolean {
    if (this.#path) return false;
    const exhausted = !this.#everConnected && this.#puncher.tries > LADDER_LENGTH;
    if (!exhausted && now < this.#patienceEndsAt) return false;
    const text = this.#isUnheard ? "The other side did not say where it can be reached." : whyNoPath(this.#local, this.#remote);
    this.#endPathless(now, text);
    return true;
  }

  #endPathless(now: number, text: string): void {
    this.#explain("none", text, "open", this.#puncher.packets, now - (this.#puncher.startedAt ?? now));
    this.#leave(now, NO_PATH, text);
  }

  #leave(now: number, code: string, text: string): void {
    this.#control.send(now, { type: "bye", code, text });
    this.#control.hurry(now);
    this.#flushControl(now);
    this.#close(code, text);
  }

  #explain(path: "direct" | "none", text: string, strategy: string, packets: number, ms: number): void {
    const tried = [{ strategy, outcome: path === "none" ? "failed" : "succeeded", packets, ms }] as const;
    this.#emit({ event: "reason", path, local: this.#local ?? null, remote: this.#remote ?? null, tried, text });
  }

  /** `isAnswer`: nothing will come back for it, so nothing is to be waited for. */
  #send(now: number, kind: Kind, payload: Uint8Array, isAnswer = false): void {
    const path = this.#path;
    if (!path) {
      this.counters["no-path"]++;
      return;
    }
    this.#outputs.push({ type: "send", socket: path.pair.socket, to: path.pair.remote, bytes: this.#sealed.seal(kind, payload) });
    if (!isAnswer) path.sent(now);
  }

  #flushControl(now: number): void {
    for (const { carrier, bytes, isAnswer } of this.#control.poll(now)) {
      if (carrier === "path") this.#send(now, Kind.Control, bytes, isAnswer);
      else this.#outputs.push({ type: "control", bytes });
    }
  }

  #close(code: string, text: string): void {
    this.#puncher.stop();
    this.#emit({ event: "closed", code, text });
    this.#closed = true;
  }

  #open(family: 4 | 6): SocketId {
    const socket = this.#nextSocket++;
    this.#outputs.push({ type: "open", socket, family });
    return socket;
  }

  #emit(event: SessionEvent): void {
    this.#outputs.push({ type: "event", event });
  }

  get #deadline(): number {
    const onPath = this.#path?.deadline ?? this.#patienceEndsAt;
    return Math.min(this.#puncher.deadline, this.#control.deadline, onPath);
  }

  /** When a session without a path ends. */
  get #patienceEndsAt(): number {
    return this.#pathlessSince + (this.#isUnheard ? NO_CANDIDATES_MS : NO_PATH_MS);
  }

  get #isUnheard(): boolean {
    return !this.#everConnected && this.#puncher.startedAt === undefined;
  }
}
