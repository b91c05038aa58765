import {
  CHALLENGE_LENGTH,
  decodeClientMessage,
  decodeSignalFrame,
  type Endpoint,
  encodeServerMessage,
  encodeSignalFrame,
  provenRoom,
  SIGNAL_ERRORS,
  SIGNAL_VERSION,
  type SignalClientMessage,
  type SignalErrorCode,
  type SignalServerMessage,
  type UnlinkReason,
} from "@awl/wire";
import { type Client, type ClientId, type Link, type LinkEnd, otherEnd } from "./client.js";
import { SignalCounters } from "./counters.js";
import { DEFAULT_SIGNAL_LIMITS, type SignalLimits } from "./limits.js";
import { Lobby, type LobbySize } from "./lobby.js";
import type { SignalInput, SignalOutput, SignalServerOptions } from "./signal-io.js";
import { ERROR_TEXTS } from "./texts.js";
import { Timeouts } from "./timeouts.js";

/**
 * Where peers meet: listeners register rooms, connectors knock, and what the two then send each other on the link
 * between them is forwarded unread. Pure; `handle` never throws for what clients send.
 *
 * Nothing of what is forwarded is kept, and everything that is kept is bounded by {@link SignalLimits}.
 */
export class SignalServer {
  readonly counters = new SignalCounters();
  readonly #options: SignalServerOptions;
  readonly #limits: SignalLimits;
  readonly #lobby: Lobby;
  readonly #handshakes: Timeouts<Client>;
  readonly #idle: Timeouts<Client>;
  readonly #links: Timeouts<Link>;
  #draining = false;
  #wakeAt = Number.POSITIVE_INFINITY;
  #outputs: SignalOutput[] = [];

  constructor(options: SignalServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_SIGNAL_LIMITS, ...options.limits };
    this.#lobby = new Lobby(this.#limits);
    this.#handshakes = new Timeouts(this.#limits.handshakeMs);
    this.#idle = new Timeouts(this.#limits.idleMs);
    this.#links = new Timeouts(this.#limits.linkIdleMs);
  }

  /** `now`: milliseconds of a monotonic clock. */
  handle(now: number, input: SignalInput): SignalOutput[] {
    if (input.type === "connected") this.#connect(now, input.client, input.observed);
    else if (input.type === "tick") this.#tick(now);
    else if (input.type === "drain") this.#drain(now);
    else {
      const client = this.#lobby.client(input.client);
      if (client && (!client.closing || input.type === "disconnected")) this.#handleClient(now, client, input);
    }
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** What there is at the moment. */
  get size(): LobbySize {
    return this.#lobby.size;
  }

  /** Nothing is kept: nobody is here, and nobody left anything behind. */
  get isEmpty(): boolean {
    return this.#lobby.isEmpty && this.#handshakes.size + this.#idle.size + this.#links.size === 0;
  }

  #connect(now: number, id: ClientId, observed: Endpoint): void {
    this.counters.connected++;
    const challenge = this.#options.random(CHALLENGE_LENGTH);
    const client = this.#draining ? "draining" : this.#lobby.admit(now, id, observed, challenge);
    if (typeof client === "string") {
      this.counters.disconnected++;
      this.#sendError(id, client);
      this.#outputs.push({ type: "close", client: id, code: SIGNAL_ERRORS[client], reason: client });
      return;
    }
    const { stunPort: stun, addresses = [] } = this.#options;
    this.#send(id, { type: "welcome", version: SIGNAL_VERSION, challenge, observed, stun, addresses: [...addresses] });
    this.#wake(this.#handshakes.start(now, client));
  }

  #handleClient(now: number, client: Client, input: Exclude<SignalInput, { type: "connected" | "tick" | "drain" }>): void {
    switch (input.type) {
      case "text":
        return this.#meter(now, client, Buffer.byteLength(input.text)) ? this.#text(now, client, input.text) : undefined;
      case "binary":
        return this.#meter(now, client, input.bytes.length) ? this.#frame(now, client, input.bytes) : undefined;
      case "control":
        this.#meter(now, client, input.bytes);
        return;
      case "waiting":
        client.waiting = input.bytes;
        return input.bytes > this.#limits.waitingBytes ? this.#expel(now, client, "slow-reader") : undefined;
      case "disconnected":
        this.counters.disconnected++;
        this.#clear(now, client);
        return this.#lobby.dismiss(client);
    }
  }

  #meter(now: number, client: Client, bytes: number): boolean {
    this.counters.received++;
    const broken = client.meter(now, bytes);
    if (broken) this.#expel(now, client, broken);
    return !broken;
  }

  #text(now: number, client: Client, text: string): void {
    const message = decodeClientMessage(text);
    if (message === "unknown-type") return this.#sendError(client.id, message);
    if (typeof message === "string") return this.#expel(now, client, message === "other-version" ? message : "bad-message");
    if (message.type === "register") return this.#register(now, client, message);
    if (message.type === "knock") return this.#knock(now, client, message.room);
    const end = client.ends.get(message.link);
    if (!end) return;
    if (message.type === "unlink") this.#unlink(now, end.link, client, "left");
    else this.#admit(now, end);
  }

  /** The only place where bytes of one client become bytes for another: along a link, and to its other end. */
  #frame(now: number, client: Client, bytes: Uint8Array): void {
    const frame = decodeSignalFrame(bytes);
    if (typeof frame === "string") return this.#expel(now, client, "bad-message");
    const end = client.ends.get(frame.link);
    if (!end) {
      this.counters.droppedFrames++;
      return;
    }
    const other = otherEnd(end);
    if (other.client.waiting > this.#limits.frameWaitingBytes) return this.#unlink(now, end.link, undefined, "congested");
    this.counters.forwarded.frames++;
    this.counters.forwarded.bytes += frame.data.length;
    this.#outputs.push({ type: "send", client: other.client.id, data: encodeSignalFrame(other.number, frame.data) });
    this.#links.start(now, end.link);
  }

  #register(now: number, client: Client, { key, signature }: SignalClientMessage & { type: "register" }): void {
    if (this.#draining) return this.#sendError(client.id, "draining");
    if (!client.challenge) return this.#sendError(client.id, "already-registered");
    const name = provenRoom(client.challenge, key, signature);
    client.challenge = undefined;
    if (name === undefined) return this.#expel(now, client, "bad-signature");

    const old = this.#lobby.room(name);
    // Its own connection of before, which may look open from here for long after the listener has lost it.
    if (old) this.#expel(now, old.listener, "replaced");
    const room = this.#lobby.openRoom(now, name, client);
    if (typeof room === "string") return this.#expel(now, client, room);
    this.counters.registered++;
    this.#settle(client);
    this.#send(client.id, { type: "registered", room: name });
  }

  #knock(now: number, client: Client, name: string): void {
    if (this.#draining) return this.#sendError(client.id, "draining", name);
    const room = this.#lobby.room(name);
    const link = room ? this.#lobby.link(now, client, room) : "no-such-room";
    if (typeof link === "string") return this.#sendError(client.id, link, name);
    this.counters.linked++;
    this.#settle(client);
    this.#wake(this.#links.start(now, link));
    const { knocker, listener } = link;
    this.#send(client.id, { type: "linked", room: name, link: knocker.number, observed: listener.client.observed });
    this.#send(listener.client.id, { type: "knocked", link: listener.number, observed: client.observed });
  }

  /**
   * Only the listener knows whether the knocker holds the ticket: whom it has not let in gets no relay. What it asks for again too
   * early, it has.
   */
  #admit(now: number, end: LinkEnd): void {
    const { link } = end;
    if (end !== link.listener || now < link.admittedAt + (this.#limits.relaySeconds * 1_000) / 2) return;
    link.admittedAt = now;
    this.counters.admitted++;
    // Newer credentials are to renew what older ones have allocated: only those of the same pair can.
    link.pair ??= this.#options.random(PAIR_BYTES).toString("hex");
    const { pair } = link;
    const peers = [...new Set([link.knocker.client.observed.address, link.listener.client.observed.address])];
    const seconds = this.#limits.relaySeconds;
    for (const user of ["knocker", "listener"] as const) {
      const { client, number } = link[user];
      const relays = this.#options.relays?.({ user, pair, peers, seconds }) ?? [];
      this.#send(client.id, { type: "relay", link: number, relays: [...relays], seconds });
    }
  }

  /** `by`: who ended it, and need not be told; `undefined`: neither side did. */
  #unlink(now: number, link: Link, by: Client | undefined, reason: UnlinkReason): void {
    this.#lobby.unlink(link);
    this.#links.stop(link);
    for (const { client, number } of [link.knocker, link.listener]) {
      if (client !== by) this.#send(client.id, { type: "unlinked", link: number, reason });
      if (!client.closing && client.links === 0) this.#unoccupied(now, client);
    }
  }

  /** Its last link has ended. */
  #unoccupied(now: number, client: Client): void {
    if (this.#draining) this.#close(now, client, "draining");
    else if (!client.room) this.#wake(this.#idle.start(now, client));
  }

  /** It has a room or a link now. */
  #settle(client: Client): void {
    this.#handshakes.stop(client);
    this.#idle.stop(client);
  }

  #tick(now: number): void {
    for (const client of this.#handshakes.due(now)) this.#expel(now, client, "handshake-timeout");
    for (const link of this.#links.due(now)) this.#unlink(now, link, undefined, "idle");
    for (const client of this.#idle.due(now)) this.#expel(now, client, "idle");
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#wake(Math.min(this.#handshakes.next, this.#links.next, this.#idle.next));
  }

  /** Who is in the middle of something may end it; the others go at once. */
  #drain(now: number): void {
    this.#draining = true;
    const clients = this.#lobby.clients().filter(({ closing }) => !closing);
    for (const { id } of clients) this.#send(id, { type: "draining" });
    for (const client of clients) if (client.links === 0) this.#close(now, client, "draining");
  }

  #expel(now: number, client: Client, code: SignalErrorCode): void {
    this.#sendError(client.id, code);
    this.#close(now, client, code);
  }

  /** Ends all that it had. Its place stays taken until it is disconnected: its socket is still open. */
  #close(now: number, client: Client, code: SignalErrorCode): void {
    this.#outputs.push({ type: "close", client: client.id, code: SIGNAL_ERRORS[code], reason: code });
    this.#clear(now, client);
  }

  #clear(now: number, client: Client): void {
    client.closing = true;
    for (const { link } of [...client.ends.values()]) this.#unlink(now, link, client, "gone");
    if (client.room) this.#lobby.closeRoom(client.room);
    this.#settle(client);
  }

  #sendError(id: ClientId, code: SignalErrorCode, room?: string): void {
    this.counters.errors[code]++;
    this.#send(id, { type: "error", code, text: ERROR_TEXTS[code], ...(room === undefined ? {} : { room }) });
  }

  #send(id: ClientId, message: SignalServerMessage): void {
    this.#outputs.push({ type: "send", client: id, data: encodeServerMessage(message) });
  }

  /** Later deadlines are seen when this one has passed. */
  #wake(at: number): void {
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#outputs.push({ type: "wake", at });
  }
}

const PAIR_BYTES = 8;
