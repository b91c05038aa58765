import { randomBytes } from "node:crypto";
import { UdpSockets } from "@awl/nat-probe";
import { type AddressFamily, addressFamily, classifyAddress, type Endpoint, type SignalRelay } from "@awl/wire";
import type { Role } from "../handshake/role.js";
import type { NatSummary } from "../session/control-message.js";
import { Gathering } from "../session/gathering.js";
import { Session } from "../session/session.js";
import type { AllowedPaths, SessionEvent, SessionInput, SessionOutput } from "../session/session-io.js";
import { isReachableFrom } from "../stun-servers.js";
import type { RelayServer } from "../turn/relay-search-io.js";
import { parseRelayUri } from "../turn/relay-uri.js";
import type { SecureChannel } from "./handshake/secure-channel.js";
import { localAddresses } from "./local-addresses.js";
import { RelayLinks } from "./relay-links.js";
import { relayServers } from "./relay-servers.js";
import type { SignalLink } from "./signal-client.js";

/** Mappings of waiting sockets are kept alive as often as those of a path: some NATs forget in 20 s. */
const REFRESH_MS = 12_000;

export interface StartOptions {
  /** When the caller asked to connect, on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** @default any */
  readonly paths?: AllowedPaths;
}

/**
 * The thin driver of one session: its sockets, its timer, and the channel that carries its control messages.
 *
 * It begins to gather candidates when it is made, and waits with them, mappings kept alive, until `start`. So a listener who has
 * one ready loses no time on a knock, and a connector none on its handshake.
 */
export class SessionDriver {
  readonly #stun: readonly Endpoint[];
  readonly #families: readonly AddressFamily[];
  readonly #sockets: UdpSockets;
  readonly #familyOf = new Map<number, AddressFamily>();
  readonly #ports = new Map<number, number | undefined>();
  #gathering: Gathering;
  #session: Session | undefined;
  readonly #links = new RelayLinks((input) => this.#feed({ type: "relay", input }));
  /** Those named last. */
  #relays: readonly RelayServer[] = [];
  #channel: SecureChannel | undefined;
  #onEvent: (event: SessionEvent) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #refresh: NodeJS.Timeout | undefined;
  /** What is still to be done: whoever hears of an event may say something while others of the same moment wait. */
  readonly #outputs: SessionOutput[] = [];
  #performing = false;
  #shutting: Promise<void> | undefined;

  constructor(stun: readonly Endpoint[]) {
    this.#stun = stun;
    this.#families = localAddresses().families;
    this.#sockets = new UdpSockets({
      onDatagram: (socket, from, bytes) => this.#received(socket, from, bytes),
      onOpened: (socket, port) => this.#opened(socket, port),
    });
    this.#gathering = this.#newGathering();
    for (const [family, socket] of this.#gathering.sockets) this.#sockets.open(socket, family);
    this.#refresh = setInterval(() => this.#refreshMappings(), REFRESH_MS).unref();
  }

  start(role: Role, channel: SecureChannel, { startedAt, paths = "any" }: StartOptions, onEvent: (event: SessionEvent) => void): void {
    if (this.#shutting) {
      channel.close();
      return onEvent({ event: "closed", code: "closed", text: "It was closed before it began." });
    }
    clearInterval(this.#refresh);
    clearTimeout(this.#timer);
    this.#onEvent = onEvent;
    this.#session = new Session({
      role,
      keys: channel.keys,
      families: this.#families,
      stun: this.#stun,
      own: localAddresses().own,
      startedAt,
      paths,
      random: randomBytes,
      spare: this.#gathering,
      firstSocket: this.#families.length,
    });
    this.#feed({ type: "tick" });
    this.attach(channel);
    this.#feed({ type: "relays", servers: this.#relays, renewed: false });
  }

  /** Makes this channel the one that carries control messages; it replaces one that was lost. */
  attach(channel: SecureChannel): void {
    if (this.#shutting) return channel.close();
    const before = this.#channel;
    this.#channel = channel;
    before?.close();
    if (before) this.#feed({ type: "signal", up: false });
    channel.onMessage((bytes) => this.#channel === channel && this.#feed({ type: "control", bytes }));
    void channel.closed.then(() => this.#channel === channel && this.#feed({ type: "signal", up: false }));
    this.#feed({ type: "signal", up: true });
  }

  ping(): void {
    this.#feed({ type: "ping" });
  }

  tellNat(nat: NatSummary): void {
    this.#feed({ type: "nat", nat });
  }

  /** Takes the relays of a link, and those that it names later, which renew the first. */
  useRelaysOf(link: SignalLink): void {
    let renewed = false;
    link.onRelays((relays) => {
      void this.#tellRelays(relays, renewed);
      renewed = true;
    });
  }

  /** Relays that the rendezvous names. It must not be able to make us talk to what only we can reach. */
  async #tellRelays(relays: readonly SignalRelay[], renewed: boolean): Promise<void> {
    const servers = await Promise.all(
      relays.flatMap(({ uris, ...credentials }) =>
        uris.map(async (text) => {
          const uri = parseRelayUri(text);
          return uri ? relayServers(uri, credentials) : [];
        }),
      ),
    );
    const reached = this.#stun.map(({ address }) => classifyAddress(address));
    this.#relays = servers.flat().filter(({ endpoint }) => reached.some((kind) => isReachableFrom(endpoint.address, kind)));
    this.#feed({ type: "relays", servers: this.#relays, renewed });
  }

  /** Closes what `start` was never called for. */
  discard(): Promise<void> {
    return this.#shut();
  }

  /** Says goodbye, and closes all that is open. */
  async close(code: string, text: string): Promise<void> {
    this.#feed({ type: "close", code, text });
    // Called by one who hears of an event, the goodbye is behind it in the queue.
    if (this.#performing) await Promise.resolve();
    await this.#shut();
  }

  #received(socket: number, from: Endpoint, bytes: Buffer): void {
    if (this.#session) this.#feed({ type: "datagram", socket, from, bytes });
    else this.#gathering.receive(performance.now(), socket, from, bytes);
  }

  #opened(socket: number, port: number | undefined): void {
    if (!this.#session) this.#ports.set(socket, port);
    const hosts = this.#hosts(socket, port);
    if (this.#session) this.#feed({ type: "opened", socket, hosts });
    else this.#gathering.opened(performance.now(), socket, hosts);
    if (!this.#session) this.#gather();
  }

  #hosts(socket: number, port: number | undefined): Endpoint[] {
    if (port === undefined) return [];
    const family = this.#familyOf.get(socket);
    return localAddresses()
      .offered.filter((address) => addressFamily(address) === family)
      .map((address) => ({ address, port }));
  }

  #newGathering(): Gathering {
    const sockets = new Map(this.#families.map((family, socket) => [family, socket]));
    for (const [family, socket] of sockets) this.#familyOf.set(socket, family);
    return new Gathering(sockets, this.#stun, randomBytes);
  }

  /** Asks the same servers on the same sockets again: that keeps the mappings, and finds out if it did not. */
  #refreshMappings(): void {
    if (!this.#gathering.ended) return;
    this.#gathering = this.#newGathering();
    for (const [socket, port] of this.#ports) this.#gathering.opened(performance.now(), socket, this.#hosts(socket, port));
    this.#gather();
  }

  /** Drives the gathering while there is no session to do it. */
  #gather(): void {
    if (this.#session || this.#shutting) return;
    const now = performance.now();
    for (const { socket, to, bytes } of this.#gathering.poll(now)) this.#sockets.send(socket, to, bytes);
    clearTimeout(this.#timer);
    const { deadline } = this.#gathering;
    if (deadline < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#gather(), Math.max(0, deadline - now));
  }

  #feed(input: SessionInput): void {
    if (!this.#session || this.#shutting) return;
    this.#outputs.push(...this.#session.handle(performance.now(), input));
    if (this.#performing) return;
    this.#performing = true;
    try {
      for (let next = this.#outputs.shift(); next; next = this.#outputs.shift()) this.#perform(next);
    } finally {
      this.#performing = false;
    }
  }

  #perform(output: SessionOutput): void {
    switch (output.type) {
      case "open":
        this.#familyOf.set(output.socket, output.family);
        return this.#sockets.open(output.socket, output.family);
      case "close-socket":
        this.#familyOf.delete(output.socket);
        return void this.#sockets.close(output.socket).catch(() => {});
      case "send":
        return this.#sockets.send(output.socket, output.to, output.bytes, output.ttl);
      case "relay":
        return this.#links.perform(output.output);
      case "control":
        return this.#channel?.send(output.bytes);
      case "wake":
        return this.#wakeAt(output.at);
      case "event":
        if (output.event.event === "closed") void this.#shut();
        return this.#onEvent(output.event);
    }
  }

  #wakeAt(at: number): void {
    clearTimeout(this.#timer);
    if (at === Number.POSITIVE_INFINITY) return;
    // Behind the poll phase: after a stall, what waits in the sockets is read before its absence is judged.
    this.#timer = setTimeout(() => setImmediate(() => this.#feed({ type: "tick" })), Math.max(0, at - performance.now()));
  }

  #shut(): Promise<void> {
    if (this.#shutting) return this.#shutting;
    clearTimeout(this.#timer);
    clearInterval(this.#refresh);
    this.#channel?.close();
    this.#shutting = Promise.all([this.#sockets.closeAll(), this.#links.closeAll()]).then(
      () => {},
      () => {},
    );
    return this.#shutting;
  }
}
