import { type Endpoint, formatEndpoint } from "@awl/wire";
import type {
  LinkId,
  RelayEvent,
  RelayFailure,
  RelaySearchInput,
  RelaySearchOptions,
  RelaySearchOutput,
  RelayServer,
} from "./relay-search-io.js";
import { TurnClient } from "./turn-client.js";
import type { TurnEvent, TurnFailure, TurnFailureCode, TurnInput } from "./turn-io.js";

/** RFC 8305 section 5 calls it the connection attempt delay: long enough for most answers, short enough to wait for one that does not come. */
const ATTEMPT_DELAY_MS = 250;

/** A connection that a firewall swallows is given up after this long. */
const OPENING_MS = 8_000;

/** Ways to try, redirections included. */
const MAX_ATTEMPTS = 16;

/** RFC 8656 section 7.4: a 5-tuple that the server has in use already is replaced by another, twice. */
const MAX_TUPLES = 3;

/** One server's word on these is the same over each transport. */
const FINAL: ReadonlySet<TurnFailureCode> = new Set([
  "unauthorized",
  "forbidden",
  "unsupported-family",
  "wrong-credentials",
  "quota-reached",
  "no-capacity",
]);

interface Attempt {
  readonly server: RelayServer;
  readonly link: LinkId;
  /** How many 5-tuples this way has been tried with. */
  readonly tuples: number;
  /** Once the link is open. */
  client?: TurnClient;
  /** When the client wants to be asked, or the link is given up. */
  due: number;
}

/**
 * Finds a relay among several servers and transports, and is its client from then on: the first one that allocates is taken, the
 * others are let go. Pure.
 *
 * UDP and streams are tried in turn, UDP first, each a moment after the one before or as soon as that has failed: in the way of
 * RFC 8305. Call `handle` with a tick first. After the event `failed` or `ended` it says nothing more.
 */
export class RelaySearch {
  readonly failures: RelayFailure[] = [];
  readonly #options: RelaySearchOptions;
  readonly #queue: RelayServer[];
  readonly #tried: RelayServer[] = [];
  readonly #attempts = new Map<LinkId, Attempt>();
  #winner: Attempt | undefined;
  #permitted: Extract<TurnInput, { type: "permit" }> | undefined;
  #outputs: RelaySearchOutput[] = [];
  #nextLink = 0;
  #nextAttemptAt = Number.NEGATIVE_INFINITY;
  #wakeAt = Number.NEGATIVE_INFINITY;
  /** Whether deadlines may have changed since `wake` was said. Not by data: the path of every datagram is short. */
  #stirred = true;
  #closing = false;
  #over = false;

  constructor(options: RelaySearchOptions) {
    this.#options = options;
    this.#queue = inOrder(options.servers, options.udpBlocked === true).slice(0, MAX_ATTEMPTS);
  }

  /** `now`: milliseconds of any clock that never goes back. */
  handle(now: number, input: RelaySearchInput): RelaySearchOutput[] {
    if (this.#over) return [];
    this.#stirred ||= input.type !== "datagram" && input.type !== "relay";
    // Timers are early now and then: whoever ticks is told again when to.
    if (input.type === "tick") this.#wakeAt = Number.NEGATIVE_INFINITY;
    this.#take(now, input);
    if (this.#stirred || now >= this.#wakeAt) this.#advance(now);
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  #take(now: number, input: RelaySearchInput): void {
    switch (input.type) {
      case "tick":
        return;
      case "relay":
      case "credentials":
        return this.#winner && this.#feed(now, this.#winner, input);
      case "permit":
        this.#permitted = input;
        return this.#winner && this.#feed(now, this.#winner, input);
      case "close":
        return this.#close(now);
      case "opened":
        return this.#opened(now, input.link);
      case "lost":
        return this.#lost(now, input.link, input.text);
      case "datagram": {
        const attempt = this.#attempts.get(input.link);
        return attempt?.client && this.#feed(now, attempt, { type: "datagram", bytes: input.bytes });
      }
    }
  }

  #opened(now: number, link: LinkId): void {
    const attempt = this.#attempts.get(link);
    if (!attempt || attempt.client) return;
    const { endpoint, transport, credentials } = attempt.server;
    const { family, random, keepaliveMs } = this.#options;
    attempt.client = new TurnClient({
      server: endpoint,
      transport: transport === "udp" ? "udp" : "stream",
      credentials,
      family,
      random,
      ...(keepaliveMs !== undefined && { keepaliveMs }),
    });
    this.#feed(now, attempt, { type: "tick" });
  }

  #lost(now: number, link: LinkId, text: string): void {
    const attempt = this.#attempts.get(link);
    if (attempt?.client) this.#feed(now, attempt, { type: "lost", text });
    else if (attempt) this.#failed(now, attempt, { code: "lost", text });
  }

  #feed(now: number, attempt: Attempt, input: TurnInput): void {
    const outputs = attempt.client?.handle(now, input) ?? [];
    // Always the last, and out of date if what comes before it leads back here.
    const last = outputs.at(-1);
    if (last?.type === "wake") attempt.due = last.at;
    this.#stirred ||= last?.type === "wake" || last?.type === "event";
    for (const output of outputs) {
      switch (output.type) {
        case "send":
          this.#outputs.push({ type: "send", link: attempt.link, bytes: output.bytes });
          break;
        case "data":
          if (attempt === this.#winner) this.#outputs.push(output);
          break;
        case "event":
          this.#learn(now, attempt, output.event);
      }
    }
  }

  #learn(now: number, attempt: Attempt, event: TurnEvent): void {
    switch (event.event) {
      case "allocated":
        return this.#won(now, attempt, event);
      case "refused":
        return this.#emit(event);
      case "failed":
        return this.#failed(now, attempt, event);
      case "ended":
        this.#drop(attempt);
        if (attempt === this.#winner) this.#end(event);
    }
  }

  #won(now: number, attempt: Attempt, event: Extract<TurnEvent, { event: "allocated" }>): void {
    // Two answers of one moment: one is enough.
    if (this.#winner) return this.#feed(now, attempt, { type: "close" });
    this.#winner = attempt;
    this.#emit({ ...event, server: attempt.server, link: attempt.link });
    this.#letGo(now, attempt);
    if (this.#permitted) this.#feed(now, attempt, this.#permitted);
  }

  /** Nothing else is tried; what may be allocated already is given back. */
  #letGo(now: number, except?: Attempt): void {
    this.#queue.length = 0;
    for (const attempt of [...this.#attempts.values()]) {
      if (attempt === except) continue;
      if (attempt.client) this.#feed(now, attempt, { type: "close" });
      else this.#drop(attempt);
    }
  }

  #failed(now: number, attempt: Attempt, failure: TurnFailure & { alternate?: { endpoint: Endpoint; domain?: string } }): void {
    const { server, tuples } = attempt;
    const { code, text, alternate } = failure;
    this.#drop(attempt);
    if (this.#winner || this.#closing) return;
    if (code === "allocation-mismatch" && tuples < MAX_TUPLES) return this.#begin(now, server, tuples + 1);
    this.failures.push({ code, text, transport: server.transport, endpoint: server.endpoint });
    if (FINAL.has(code)) this.#skip(server);
    // RFC 8656 section 7.4: before any other server.
    if (alternate) this.#redirect({ ...server, endpoint: alternate.endpoint, host: alternate.domain ?? server.host });
    this.#nextAttemptAt = now;
  }

  /** Behind one name there may be several machines, behind one address there is one. */
  #skip({ endpoint }: RelayServer): void {
    const others = this.#queue.filter((other) => other.endpoint.address !== endpoint.address);
    this.#queue.splice(0, this.#queue.length, ...others);
  }

  /** Not to where we have been: servers that name each other would lead us round for ever. */
  #redirect(to: RelayServer): void {
    const isKnown = (known: RelayServer) =>
      known.transport === to.transport && formatEndpoint(known.endpoint) === formatEndpoint(to.endpoint);
    if (this.#tried.some(isKnown) || this.#tried.length >= MAX_ATTEMPTS) return;
    this.#queue.splice(0, this.#queue.length, to, ...this.#queue.filter((other) => !isKnown(other)));
  }

  #begin(now: number, server: RelayServer, tuples: number): void {
    const link = this.#nextLink++;
    const { transport, endpoint, host } = server;
    this.#attempts.set(link, { server, link, tuples, due: now + OPENING_MS });
    this.#outputs.push({ type: "open", link, transport, endpoint, host });
  }

  #close(now: number): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#letGo(now);
  }

  #drop({ link }: Attempt): void {
    if (this.#attempts.delete(link)) this.#outputs.push({ type: "close-link", link });
  }

  #advance(now: number): void {
    for (const attempt of [...this.#attempts.values()]) {
      if (now < attempt.due || !this.#attempts.has(attempt.link)) continue;
      if (attempt.client) this.#feed(now, attempt, { type: "tick" });
      else this.#failed(now, attempt, { code: "timeout", text: `No connection to ${formatEndpoint(attempt.server.endpoint)} came about.` });
    }
    this.#tryNext(now);
    if (this.#over) return;
    if (this.#attempts.size === 0) return this.#end(this.#closing ? CLOSED : this.#failure());
    const at = this.#deadline;
    if (at !== this.#wakeAt) this.#outputs.push({ type: "wake", at });
    this.#wakeAt = at;
    this.#stirred = false;
  }

  #tryNext(now: number): void {
    if (this.#queue.length > 0 && this.#attempts.size === 0) this.#nextAttemptAt = now;
    const server = now >= this.#nextAttemptAt ? this.#queue.shift() : undefined;
    if (!server) return;
    this.#tried.push(server);
    this.#nextAttemptAt = now + ATTEMPT_DELAY_MS;
    this.#begin(now, server, 1);
  }

  get #deadline(): number {
    let earliest = this.#queue.length > 0 ? this.#nextAttemptAt : Number.POSITIVE_INFINITY;
    for (const { due } of this.#attempts.values()) earliest = Math.min(earliest, due);
    return earliest;
  }

  #failure(): RelayEvent {
    const texts = this.failures.map(({ transport, text }) => `${text.replace(/\.$/, "")} (${transport})`);
    return { event: "failed", failures: this.failures, text: texts.length > 0 ? `${texts.join("; ")}.` : "There is no relay to ask." };
  }

  #emit(event: RelayEvent): void {
    this.#outputs.push({ type: "event", event });
  }

  #end(event: RelayEvent): void {
    if (this.#over) return;
    for (const attempt of [...this.#attempts.values()]) this.#drop(attempt);
    this.#emit(event);
    this.#over = true;
  }
}

const CLOSED: RelayEvent = { event: "ended", code: "closed", text: "The search for a relay was given up." };

/** UDP and streams in turn, the better ones of each first: a server that is down must hold up neither the next one nor the other way. */
function inOrder(servers: readonly RelayServer[], udpBlocked: boolean): RelayServer[] {
  const udp = servers.filter(({ transport }) => transport === "udp");
  const streams = servers.filter(({ transport }) => transport !== "udp");
  if (udpBlocked) return [...streams, ...udp];
  const order: RelayServer[] = [];
  for (let i = 0; i < Math.max(udp.length, streams.length); i++) {
    for (const server of [udp[i], streams[i]]) if (server) order.push(server);
  }
  return order;
}
