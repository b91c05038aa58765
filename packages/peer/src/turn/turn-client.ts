import {
  decodeChannelData,
  decodeMessage,
  type Endpoint,
  encodeChannelData,
  endpointFamily,
  Lifetime,
  Method,
  type StunMessage,
} from "@awl/wire";
import { allocationAttributes, readAllocation } from "./allocation.js";
import { Authentication } from "./authentication.js";
import { Channels } from "./channels.js";
import { newCounters, type TurnCounters } from "./counters.js";
import { failure } from "./failure.js";
import { bindingIndication, readDataIndication, sendIndication } from "./indications.js";
import { Keepalive } from "./keepalive.js";
import { Lease } from "./lease.js";
import { Permissions } from "./permissions.js";
import { alternateOf } from "./redirect.js";
import { type Request, type Result, Transactions } from "./transactions.js";
import type { TurnClientOptions, TurnEvent, TurnFailure, TurnInput, TurnOutput } from "./turn-io.js";
import { WaitingRoom } from "./waiting-room.js";

/** So long a goodbye is repeated until it is answered. */
const CLOSE_MS = 1_500;

/** ChannelData and the DATA attribute count in 16 bits; the header of an indication and its peer address take their share. */
const MAX_DATAGRAM = 65_000;

/**
 * The client of one TURN server over one transport (RFC 8656): a relayed address, kept until closed, and the datagrams through it. Pure.
 *
 * Call `handle` with a tick first, then with whatever happens. After the event `failed` or `ended` it says nothing more.
 * What comes from the server and is no answer to it, such as the answer to somebody else's Binding request, it ignores.
 */
export class TurnClient {
  readonly counters: TurnCounters = newCounters();
  readonly #options: TurnClientOptions;
  readonly #authentication: Authentication;
  readonly #transactions: Transactions;
  readonly #permissions: Permissions;
  readonly #channels: Channels;
  readonly #waiting = new WaitingRoom();
  readonly #keepalive: Keepalive;
  #lease: Lease | undefined;
  #state: "new" | "allocating" | "allocated" | "closing" | "over" = "new";
  #outputs: TurnOutput[] = [];
  #closeAt = Number.POSITIVE_INFINITY;
  #wakeAt = Number.NEGATIVE_INFINITY;
  /** Whether deadlines may have changed since `wake` was said. Not by data: the path of every datagram is short. */
  #stirred = true;
  #now = 0;

  constructor(options: TurnClientOptions) {
    const { server, transport, credentials, random } = options;
    this.#options = options;
    this.#authentication = new Authentication(credentials);
    this.#transactions = new Transactions({
      server,
      transport,
      authentication: this.#authentication,
      random,
      send: (bytes) => this.#send(bytes),
      counters: this.counters,
    });
    const installer = {
      begin: (now: number, request: Request) => this.#ask(now, request),
      full: () => this.#transactions.full,
      random: () => this.#random(),
    };
    this.#keepalive = new Keepalive(() => this.#random(), options.keepaliveMs);
    this.#permissions = new Permissions(installer, (...answer) => this.#answeredPermission(...answer));
    this.#channels = new Channels(installer, (now, address) => this.#permissions.covered(now, address));
  }

  /** `now`: milliseconds of any clock that never goes back. */
  handle(now: number, input: TurnInput): TurnOutput[] {
    if (this.#isOver) return [];
    this.#now = now;
    if (this.#state === "new") this.#allocate(now);
    // Timers are early now and then: whoever ticks is told again when to.
    if (input.type === "tick") this.#wakeAt = Number.NEGATIVE_INFINITY;
    this.#take(now, input);
    if (!this.#isOver && (this.#stirred || now >= this.#wakeAt)) this.#advance(now);
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  #take(now: number, input: TurnInput): void {
    switch (input.type) {
      case "tick":
        return;
      case "datagram":
        return this.#receive(now, input.bytes);
      case "relay":
        return this.#relay(now, input.to, input.bytes);
      case "permit":
        return this.#permit(now, input.peers);
      case "credentials":
        return this.#authentication.replace(input.credentials);
      case "lost":
        return this.#end(failure("lost", input.text));
      case "close":
        return this.#close(now);
    }
  }

  #receive(now: number, bytes: Buffer): void {
    if ((bytes[0] ?? 0) >> 6 === 1) return this.#receiveChannelData(bytes);
    const message = decodeMessage(bytes);
    if (typeof message === "string") this.counters["not-turn"]++;
    else if (message.class === "indication") this.#receiveIndication(now, message);
    else if (message.class === "request") this.counters["not-turn"]++;
    else this.#receiveAnswer(now, message);
  }

  #receiveChannelData(bytes: Buffer): void {
    const frame = decodeChannelData(bytes);
    const peer = typeof frame === "string" ? undefined : this.#channels.peerOf(frame.channel);
    if (typeof frame === "string") this.counters["not-turn"]++;
    else if (!peer) this.counters["unknown-channel"]++;
    else if (this.#state === "allocated") this.#outputs.push({ type: "data", from: peer, bytes: frame.data });
  }

  #receiveIndication(now: number, message: StunMessage): void {
    const data = readDataIndication(message);
    if (!data) this.counters["not-turn"]++;
    else if (!this.#permissions.allows(now, data.from.address)) this.counters["not-permitted"]++;
    else if (this.#state === "allocated") {
      this.#outputs.push({ type: "data", ...data });
      this.#channels.heard(now, data.from);
    }
  }

  #receiveAnswer(now: number, message: StunMessage): void {
    this.#stirred = true;
    this.#transactions.receive(now, message);
  }

  #relay(now: number, to: Endpoint, bytes: Uint8Array): void {
    if (endpointFamily(to) !== this.#options.family) this.counters["wrong-family"]++;
    else if (bytes.length > MAX_DATAGRAM) this.counters["too-long"]++;
    else if (this.#state === "allocating") this.counters["too-many"] += this.#waiting.add(to, bytes);
    else if (this.#state === "allocated") this.#pass(now, to, bytes);
  }

  #pass(now: number, to: Endpoint, bytes: Uint8Array): void {
    const leave = this.#permissions.use(now, to.address);
    if (leave === "refused" || leave === "too-many") {
      this.counters[leave]++;
      return;
    }
    if (leave === "unconfirmed") this.#waiting.add(to, bytes);
    const channel = this.#channels.use(now, to);
    if (channel !== undefined) this.#send(encodeChannelData(channel, bytes, this.#options.transport === "stream"));
    else this.#send(sendIndication(this.#options.random(12), to, bytes));
  }

  /** What followed the request at once is sent again if it may have been too early: a stale nonce must not cost data. */
  #answeredPermission(now: number, address: string, failure: TurnFailure | undefined, repeated: boolean): void {
    const waiting = this.#waiting.leave(address);
    if (failure) this.#emit({ event: "refused", address, ...failure });
    else if (repeated) for (const { to, bytes } of waiting) this.#pass(now, to, bytes);
  }

  #permit(now: number, peers: readonly Endpoint[]): void {
    const addresses = peers.filter((peer) => endpointFamily(peer) === this.#options.family).map(({ address }) => address);
    this.#permissions.want(now, addresses);
    this.#stirred = true;
  }

  #close(now: number): void {
    if (this.#state === "closing") return;
    const before = this.#state;
    this.#state = "closing";
    this.#closeAt = now + CLOSE_MS;
    this.#stirred = true;
    // An Allocate on its way may succeed: it is waited for, and what it allocated given back.
    if (before === "allocated") this.#release(now);
    else this.#transactions.settle();
  }

  #allocate(now: number): void {
    this.#state = "allocating";
    if (!Authentication.canCarry(this.#options.credentials))
      return this.#end(failure("wrong-credentials", "The credentials are too long."));
    const attributes = allocationAttributes(this.#options.family);
    this.#ask(now, { method: Method.Allocate, attributes, done: (at, result) => this.#allocated(at, result) });
  }

  #allocated(now: number, result: Result): void {
    if (result.type === "failure") return this.#refusedAllocation(result);
    const allocation = readAllocation(result.message, this.#options.family);
    if (!allocation) return this.#end(failure("bad-answer", "The relay said yes, and not to what."));
    if (this.#state === "closing") return this.#release(now);
    this.#state = "allocated";
    this.#lease = new Lease(now, allocation.lifetimeMs, () => this.#random());
    if (this.#options.transport === "udp") this.#keepalive.begin(now);
    this.#emit({ event: "allocated", relayed: allocation.relayed, mapped: allocation.mapped });
    // Before data is sent to them: those who are only listened to.
    this.#permissions.advance(now);
    for (const { to, bytes } of this.#waiting.leave()) this.#pass(now, to, bytes);
  }

  #refusedAllocation({ code, text, message }: Extract<Result, { type: "failure" }>): void {
    const alternate = code === "try-alternate" && message ? alternateOf(this.#options.server, message) : undefined;
    if (this.#state === "closing") this.#end(CLOSED);
    else this.#finish({ event: "failed", code, text, ...(alternate && { alternate }) });
  }

  #refresh(now: number): void {
    this.#lease?.begun();
    const done = (at: number, result: Result) => {
      if (result.type === "failure") this.#lease?.failed(at, result.text);
      else this.#lease?.renewed(at, result.message.get(Lifetime));
    };
    this.#ask(now, { method: Method.Refresh, attributes: [], done });
  }

  /** RFC 8656 section 8: whatever is answered, it is over. */
  #release(now: number): void {
    this.#transactions.forget();
    this.#ask(now, { method: Method.Refresh, attributes: [Lifetime.of(0)], done: () => this.#end(CLOSED) });
  }

  #ask(now: number, request: Request): void {
    this.#stirred = true;
    const done = (at: number, result: Result) => {
      const isGone = result.type === "failure" && result.code === "allocation-mismatch" && this.#state === "allocated";
      if (isGone) this.#end(failure("allocation-mismatch", "The relay does not know the allocation any more."));
      else if (!this.#isOver) request.done(at, result);
    };
    this.#transactions.begin(now, { ...request, done });
  }

  #advance(now: number): void {
    this.#stirred = false;
    this.#transactions.advance(now);
    if (this.#state === "allocated") this.#keep(now);
    if (now >= this.#closeAt) this.#end(CLOSED);
    if (this.#isOver) return;
    const at = this.#deadline;
    if (at !== this.#wakeAt) this.#outputs.push({ type: "wake", at });
    this.#wakeAt = at;
    this.#stirred = false;
  }

  #keep(now: number): void {
    const lease = this.#lease;
    if (lease?.isOver(now)) return this.#end(failure("expired", lease.whyOver));
    if (lease?.isDue(now)) this.#refresh(now);
    this.#permissions.advance(now);
    this.#channels.advance(now);
    if (this.#keepalive.advance(now)) this.#send(bindingIndication(this.#options.random(12)));
  }

  get #isOver(): boolean {
    return this.#state === "over";
  }

  get #deadline(): number {
    const requests = Math.min(this.#transactions.deadline, this.#closeAt);
    if (this.#state !== "allocated") return requests;
    const lease = this.#lease?.deadline ?? Number.POSITIVE_INFINITY;
    return Math.min(requests, lease, this.#permissions.deadline, this.#channels.deadline, this.#keepalive.deadline);
  }

  #send(bytes: Buffer): void {
    this.#keepalive.sent(this.#now);
    this.#outputs.push({ type: "send", bytes });
  }

  #emit(event: TurnEvent): void {
    this.#outputs.push({ type: "event", event });
  }

  #end({ code, text }: TurnFailure): void {
    if (!this.#isOver) this.#finish({ event: this.#lease || code === "closed" ? "ended" : "failed", code, text });
  }

  #finish(event: TurnEvent): void {
    this.#emit(event);
    this.#state = "over";
    this.#transactions.forget();
    this.#waiting.leave();
  }

  /** Uniform in [0, 1). */
  #random(): number {
    return this.#options.random(4).readUInt32BE() / 2 ** 32;
  }
}

const CLOSED = failure("closed", "The allocation was given back.");
