import type { Endpoint } from "@awl/wire";
import { Checks } from "./check.js";
import { ControlLink } from "./control-link.js";
import type { ControlMessage } from "./control-message.js";
import type { SocketId } from "./gathering.js";
import { LADDER_LENGTH } from "./ladder.js";
import type { Pair } from "./pair.js";
import type { PathKeeper } from "./path-keeper.js";
import { type PathKind, Paths } from "./paths.js";
import { patienceEndsAt } from "./patience.js";
import { Pings } from "./pings.js";
import { Puncher } from "./puncher.js";
import { RELAY_SOCKET, RelayRoute } from "./relay-route.js";
import { type Effort, Reporter } from "./reporter.js";
import { Kind, SealedChannel } from "./sealed.js";
import type { SessionCounters, SessionEvent, SessionInput, SessionOptions, SessionOutput } from "./session-io.js";

/** The code of a session's end without a path. */
const NO_PATH = "no-path";

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
  readonly #relay: RelayRoute;
  readonly #paths: Paths;
  readonly #reporter: Reporter;
  readonly #pings = new Pings();
  #outputs: SessionOutput[] = [];
  #nextSocket: SocketId;
  #begun = false;
  #closed = false;
  /** All has been tried that leads to a direct path, and it was told that nothing did. */
  #stuck = false;

  constructor(options: SessionOptions) {
    const { role, keys, families, stun, own, random, startedAt } = options;
    this.#options = options;
    this.#nextSocket = options.firstSocket ?? 0;
    this.#checks = new Checks(role, keys.checks);
    this.#sealed = new SealedChannel(keys.datagrams);
    const say = (now: number, message: ControlMessage) => this.#control.send(now, message);
    this.#puncher = new Puncher({
      role,
      checks: this.#checks,
      families,
      stun,
      own,
      random,
      say,
      open: (family) => this.#open(family),
      close: (socket) => void this.#outputs.push({ type: "close-socket", socket }),
    });
    const receive = (now: number, from: Endpoint, bytes: Buffer) => this.#receive(now, RELAY_SOCKET, from, bytes);
    this.#relay = new RelayRoute({ checks: this.#checks, random, say, receive });
    this.#paths = new Paths(() => random(4).readUInt32BE() / 2 ** 32);
    this.#reporter = new Reporter(startedAt, (event) => this.#emit(event));
  }

  /** `now`: milliseconds of any clock that never goes back. */
  handle(now: number, input: SessionInput): SessionOutput[] {
    if (this.#closed) return [];
    if (!this.#begun) {
      this.#begun = true;
      this.#paths.begin(now);
      if (this.#punches) this.#puncher.begin(now, this.#options.spare);
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
        this.#reporter.local = input.nat;
        return this.#control.send(now, { type: "nat", nat: input.nat });
      case "relays":
        if (this.#options.paths === "direct-only") return;
        return this.#relay.offer(now, input.servers, input.renewed, this.#reporter.local?.type === "udp-blocked");
      case "relay":
        return this.#relay.handle(now, input.input);
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
    this.#paths.heard(now, socket, from, opened.kind === Kind.Data || opened.kind === Kind.Ping);
    switch (opened.kind) {
      case Kind.Data:
        return this.#emit({ event: "data", payload: opened.payload });
      case Kind.Control:
        return this.#obey(now, this.#control.receive(now, "path", opened.payload));
      case Kind.Ping:
        return this.#send(now, Kind.Pong, opened.payload, true);
      case Kind.Pong: {
        const pong = this.#pings.answered(now, opened.payload);
        if (pong) this.#emit({ event: "pong", ...pong, kind: socket === RELAY_SOCKET ? "relay" : "direct" });
      }
    }
  }

  #receiveCheck(now: number, socket: SocketId, from: Endpoint, bytes: Buffer): void {
    const check = this.#checks.open(bytes);
    if (typeof check === "string") {
      this.counters[check]++;
      return;
    }
    if (socket === RELAY_SOCKET) {
      const pair = this.#relay.checked(now, from, check);
      this.#paths.heard(now, socket, from, false);
      if (pair && this.#paths.get("relay")?.pair !== pair) this.#adoptRelay(now, pair);
      return;
    }
    const pair = this.#puncher.checked(now, socket, from, check);
    this.#paths.heard(now, socket, from, false);
    if (pair && (this.#puncher.active || !this.#paths.get("direct")?.shows(pair))) this.#adopt(now, pair);
  }

  #obey(now: number, message: ControlMessage | undefined): void {
    switch (message?.type) {
      case "candidates":
        if (this.#punches && this.#puncher.offered(now, message)) this.#paths.get("direct")?.doubt(now);
        return;
      case "opened":
        return this.#puncher.peerOpened(message.try);
      case "relayed":
        return this.#relay.peerOffered(now, { address: message.address, port: message.port });
      case "nat":
        this.#reporter.remote = message.nat;
        return this.#emit({ event: "peer-nat", nat: message.nat });
      case "bye":
        if (message.code === NO_PATH && !this.#paths.best) return this.#endPathless(now);
        return this.#close(message.code, message.text, now);
    }
  }

  /** Takes a pair that both sides know to work as the direct path. */
  #adopt(now: number, pair: Pair): void {
    const before = this.#paths.get("direct");
    const path = this.#paths.take(now, "direct", pair);
    const effort = this.#effort;
    this.#puncher.settle(now, pair);
    this.#control.setCarrier(now, "path", true);
    // Only the peer had lost it.
    if (!before?.shows(pair)) this.#reporter.direct(now, path, this.#puncher.candidates, effort);
  }

  #adoptRelay(now: number, pair: Pair): void {
    const first = !this.#paths.everConnected;
    const path = this.#paths.take(now, "relay", pair);
    this.#control.setCarrier(now, "path", true);
    if (this.#paths.kind === "relay") this.#tellRelayed(now, path, first);
  }

  #tellRelayed(now: number, path: PathKeeper, first: boolean): void {
    const { relayed } = this.#relay;
    if (relayed) this.#reporter.relayed(now, path, relayed, this.#punches ? (first ? "meanwhile" : "again") : "asked");
  }

  #advance(now: number): void {
    const direct = this.#paths.get("direct");
    this.#puncher.advance(now, this.#puncher.active ? undefined : direct?.pair, this.#control.rttMs);
    this.#keepPaths(now);
    // Behind them: what is lost is checked anew in this turn.
    this.#relay.advance(now);
    if (!this.#relay.relayed && this.#paths.drop(now, "relay")) this.#lost(now, "relay");
    // Before what is said of it: an opener must not come later than the word that it was sent.
    for (const send of this.#puncher.poll(now)) {
      this.#outputs.push({ type: "send", ...send });
      const path = this.#paths.get("direct");
      if (!send.isAnswer && path?.pair.is(send.socket, send.to)) path.sent(now);
    }
    this.#flushControl(now);
    if (this.#giveUp(now)) return;
    this.#pollRelay();
    this.#outputs.push({ type: "wake", at: this.#deadline });
  }

  #keepPaths(now: number): void {
    for (const { kind, pair, duty } of this.#paths.advance(now)) {
      if (duty === "probe") {
        if (kind === "direct") this.#puncher.probe(now, pair);
        else {
          this.#relay.probe(now, pair);
          this.#paths.get("relay")?.sent(now);
        }
      } else this.#lost(now, kind);
    }
  }

  #lost(now: number, kind: PathKind): void {
    const relay = this.#paths.get("relay");
    if (kind === "relay") this.#relay.restart(now);
    else if (relay) this.#tellRelayed(now, relay, false);
    if (!this.#paths.best) {
      this.#control.setCarrier(now, "path", false);
      this.#emit({ event: "lost" });
    }
    if (kind === "relay" || this.#puncher.active || !this.#punches) return;
    this.#stuck = false;
    this.#puncher.begin(now);
    // What `begin` has just put on the way is sent in this turn.
    this.#puncher.advance(now, undefined, this.#control.rttMs);
  }

  /** Ends a session that has nothing more to try; returns whether it did. */
  #giveUp(now: number): boolean {
    const exhausted = this.#puncher.tries > LADDER_LENGTH;
    if (this.#paths.best) {
      if (exhausted && this.#paths.kind === "relay" && !this.#stuck) this.#reporter.stuck(now, this.#effort);
      this.#stuck ||= exhausted;
      return false;
    }
    const hopeless = exhausted && !this.#paths.everConnected && !this.#relay.isHopeful;
    if (!hopeless && now < patienceEndsAt(this.#paths, this.#isUnheard)) return false;
    this.#endPathless(now, this.#isUnheard ? "The other side did not say where it can be reached." : undefined);
    return true;
  }

  #endPathless(now: number, text?: string): void {
    this.#leave(now, NO_PATH, this.#reporter.none(now, text, this.#relay.why, this.#effort));
  }

  #leave(now: number, code: string, text: string): void {
    this.#control.send(now, { type: "bye", code, text });
    this.#control.hurry(now);
    this.#flushControl(now);
    this.#close(code, text, now);
  }

  /** `isAnswer`: nothing will come back for it, so nothing is to be waited for. */
  #send(now: number, kind: Kind, payload: Uint8Array, isAnswer = false): void {
    const path = this.#paths.best;
    if (!path) {
      this.counters["no-path"]++;
      return;
    }
    const { socket, remote: to } = path.pair;
    const bytes = this.#sealed.seal(kind, payload);
    if (socket === RELAY_SOCKET) this.#relay.send(now, bytes);
    else this.#outputs.push({ type: "send", socket, to, bytes });
    if (!isAnswer) path.sent(now);
  }

  #flushControl(now: number): void {
    for (const { carrier, bytes, isAnswer } of this.#control.poll(now)) {
      if (carrier === "path") this.#send(now, Kind.Control, bytes, isAnswer);
      else this.#outputs.push({ type: "control", bytes });
    }
  }

  #pollRelay(): void {
    for (const output of this.#relay.poll()) this.#outputs.push({ type: "relay", output });
  }

  #close(code: string, text: string, now: number): void {
    this.#puncher.stop();
    this.#relay.stop(now);
    this.#pollRelay();
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

  get #punches(): boolean {
    return this.#options.paths !== "relay-only";
  }

  get #effort(): Effort {
    return { packets: this.#puncher.packets, startedAt: this.#puncher.startedAt };
  }

  get #deadline(): number {
    const ends = patienceEndsAt(this.#paths, this.#isUnheard);
    return Math.min(this.#puncher.deadline, this.#relay.deadline, this.#control.deadline, this.#paths.deadline, ends);
  }

  get #isUnheard(): boolean {
    return !this.#paths.everConnected && this.#puncher.startedAt === undefined;
  }
}
