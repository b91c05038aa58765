import {
  addressFamily,
  type Cidr,
  Data,
  DontFragment,
  decodeMessage,
  type Endpoint,
  Method,
  type StunMessage,
  XorPeerAddress,
} from "@awl/wire";
import { Accounts } from "./accounts.js";
import { AddressPolicy } from "./address-policy.js";
import { Allocator } from "./allocate.js";
import type { Allocation, ClientPath, ConnectionId, RelayId } from "./allocation.js";
import { Allocations, type TurnSize } from "./allocations.js";
import { Authenticator } from "./authenticator.js";
import { Connections } from "./connections.js";
import { TurnCounters, type TurnDrop } from "./counters.js";
import { type CredentialRequest, Credentials, derivedKey } from "./credentials.js";
import { CHANNEL_HEADER, Forwarder } from "./forwarder.js";
import { Outbox, type TurnInput, type TurnOutput } from "./io.js";
import { DEFAULT_TURN_LIMITS, type TurnLimits } from "./limits.js";
import { Nonces } from "./nonces.js";
import { Permits } from "./permits.js";
import { PortPool } from "./port-pool.js";
import { RelayAddress, type RelayHome } from "./relay-address.js";
import { notUnderstood, Requests } from "./requests.js";
import { Waiting } from "./waiting.js";

export interface TurnServerOptions {
  /** The addresses that clients reach it at, the most widely reachable first: relayed addresses are on these, too. */
  readonly homes: readonly RelayHome[];
  /** Every address of this host. */
  readonly hostAddresses: readonly string[];
  /** What this process listens on, under every name it has. */
  readonly listening: readonly Endpoint[];
  /** The first and the last port of relayed addresses. */
  readonly relayPorts: PortRange;
  /** Ranges that are denied by default, opened by the operator. */
  readonly allowed: readonly Cidr[];
  /** Of time-limited credentials: the first one signs, all are accepted. At least one. */
  readonly secrets: readonly string[];
  /** What clients are told to connect to. */
  readonly uris: readonly string[];
  /** Whether datagrams leave the relays' sockets with the DF bit set. */
  readonly dontFragment: boolean;
  /** @default DEFAULT_TURN_LIMITS */
  readonly limits?: Partial<TurnLimits> | undefined;
  /** That many random bytes, which nobody can predict. */
  readonly random: (length: number) => Buffer;
  /** Seconds since 1970, by a clock that may be set: what credentials expire by. */
  readonly unixTime: () => number;
}

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** All that a client needs, so that its first Allocate succeeds. */
export interface TurnCredential {
  readonly username: string;
  readonly password: string;
  readonly realm: string;
  readonly nonce: string;
  /** RFC 7065. */
  readonly uris: readonly string[];
}

/**
 * A TURN server: RFC 8656 over UDP and over connections, with RFC 8489's long-term credentials. Pure; `handle` never throws for
 * what clients and peers send.
 *
 * Nothing is kept of whom has proven nothing, and everything that is kept is bounded by {@link TurnLimits}.
 * Not built: relaying TCP (RFC 6062), mobility (RFC 8016), OAuth (RFC 7635).
 */
export class TurnServer {
  readonly counters = new TurnCounters();
  readonly #options: TurnServerOptions;
  readonly #out = new Outbox();
  readonly #credentials: Credentials;
  readonly #nonces: Nonces;
  readonly #accounts: Accounts;
  readonly #allocations: Allocations;
  readonly #policy: AddressPolicy;
  readonly #requests: Requests;
  readonly #forwarder: Forwarder;
  readonly #connections: Connections;
  readonly #waiting = new Waiting(this.counters);
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(options: TurnServerOptions) {
    const { homes, relayPorts, secrets, random } = options;
    const limits = { ...DEFAULT_TURN_LIMITS, ...options.limits };
    this.#options = options;
    this.#credentials = new Credentials(secrets);
    this.#nonces = new Nonces(derivedKey(secrets[0] ?? "", "nonce"));
    this.#accounts = new Accounts(limits);
    this.#allocations = new Allocations(this.#out, this.#accounts, this.#waiting);
    this.#policy = policyOf(options);
    this.#forwarder = new Forwarder(this.#allocations, this.#policy, limits, this.counters, this.#out, random);
    const relays = homes.map((home) => new RelayAddress(home, new PortPool(relayPorts.low, relayPorts.high, random)));
    this.#requests = new Requests({
      authenticator: new Authenticator(this.#credentials, this.#nonces, REALM),
      allocator: new Allocator({ homes: relays, limits, random }, this.#allocations, this.#accounts),
      permits: new Permits(this.#allocations, this.#policy, limits),
      allocations: this.#allocations,
      waiting: this.#waiting,
      counters: this.counters,
      out: this.#out,
      dontFragment: options.dontFragment,
      unixTime: options.unixTime,
    });
    this.#connections = new Connections(limits);
  }

  /** `now`: milliseconds of a monotonic clock. */
  handle(now: number, input: TurnInput): TurnOutput[] {
    this.#take(now, input);
    this.#wake(now);
    return this.#out.take();
  }

  /**
   * A credential for one side of a pair.
   *
   * @throws {RangeError} for a request that is not as {@link CredentialRequest} says
   */
  issue(request: CredentialRequest): TurnCredential {
    const unixTime = this.#options.unixTime();
    const credential = this.#credentials.issue(unixTime, this.#options.random(12), request);
    const nonce = this.#nonces.forUser(unixTime, credential.username);
    return { ...credential, realm: REALM, nonce, uris: this.#options.uris };
  }

  /** What there is at the moment. */
  get size(): TurnSize {
    return { ...this.#allocations.size, users: this.#accounts.size, connections: this.#connections.size };
  }

  /** Messages that wait for a socket. */
  get waiting(): number {
    return this.#waiting.size;
  }

  #take(now: number, input: TurnInput): void {
    switch (input.type) {
      case "datagram":
        return this.#datagram(now, input.local, input.from, input.bytes);
      case "relayed":
        return this.#relayed(now, input.relay, input.from, input.bytes);
      case "frame":
        return this.#frame(now, input.connection, input.bytes);
      case "connected":
        return this.#connect(now, input.connection, { local: input.local, remote: input.from, connection: input.connection });
      case "disconnected":
        return this.#disconnect(now, input.connection);
      case "bound":
        return this.#settle(now, input.relay, "bound");
      case "unbound":
        return this.#settle(now, input.relay, "failed");
      case "tick":
        return this.#sweep(now);
    }
  }

  #datagram(now: number, local: number, from: Endpoint, bytes: Buffer): void {
    const allocation = this.#allocations.ofDatagrams(now, local, from);
    this.counters.received++;
    // One of ours: forged, or our own come back. Answering it could begin a loop.
    if (!allocation && (from.port === 0 || this.#policy.isListening(from))) this.#drop("bad-source");
    else this.#message(now, allocation?.path ?? { local, remote: from, connection: undefined }, allocation, bytes);
  }

  #relayed(now: number, id: RelayId, from: Endpoint, bytes: Buffer): void {
    const relay = this.#allocations.relay(id);
    if (relay) this.#forwarder.fromPeer(now, relay, from, bytes);
  }

  #connect(now: number, connection: ConnectionId, path: ClientPath): void {
    if (!this.#connections.open(now, connection, path)) this.#out.put({ type: "close", connection });
  }

  #frame(now: number, connection: ConnectionId, bytes: Buffer): void {
    const path = this.#connections.path(connection);
    this.counters.received++;
    if (path) this.#message(now, path, this.#allocations.ofConnection(now, connection), bytes);
    else this.#drop("bad-source");
  }

  #disconnect(now: number, connection: ConnectionId): void {
    const allocation = this.#allocations.ofConnection(now, connection);
    if (allocation) this.#allocations.end(allocation);
    this.#connections.close(connection);
  }

  #message(now: number, path: ClientPath, allocation: Allocation | undefined, bytes: Buffer): void {
    const isData = ((bytes[0] ?? 0) & 0xc0) === 0x40;
    const dropped = isData ? this.#channelData(now, allocation, bytes) : this.#stun(now, path, allocation, bytes);
    if (dropped) this.#drop(dropped);
  }

  /** RFC 8656 section 12.6. */
  #channelData(now: number, allocation: Allocation | undefined, bytes: Buffer): TurnDrop | undefined {
    if (!allocation) return "no-allocation";
    if (bytes.length < CHANNEL_HEADER) return "too-short";
    const channel = allocation.channel(now, uint16At(bytes, 0));
    if (!channel) return "no-channel";
    // What stands behind the stated length is padding.
    const end = CHANNEL_HEADER + uint16At(bytes, 2);
    if (end > bytes.length) return "bad-length";
    return this.#forwarder.fromClient(now, allocation, channel.peer, end === bytes.length ? bytes : bytes.subarray(0, end), CHANNEL_HEADER);
  }

  #stun(now: number, path: ClientPath, allocation: Allocation | undefined, bytes: Buffer): TurnDrop | undefined {
    const message = decodeMessage(bytes);
    if (typeof message === "string") return message;
    if (message.classic) return "not-for-a-server";
    if (message.class === "request") return this.#requests.handle(now, path, message);
    if (message.class !== "indication" || message.method !== Method.Send) return "not-for-a-server";
    return allocation ? this.#send(now, allocation, message) : "no-allocation";
  }

  /** RFC 8656 section 11.2. */
  #send(now: number, allocation: Allocation, message: StunMessage): TurnDrop | undefined {
    const peer = message.get(XorPeerAddress);
    const data = message.get(Data);
    if (!peer || peer.port === 0 || !data || notUnderstood(message, this.#options.dontFragment).length > 0) return "bad-send";
    const longest = addressFamily(peer.address) === 4 ? UNFRAGMENTED.ipv4 : UNFRAGMENTED.ipv6;
    if (message.has(DontFragment) && data.length > longest) return "too-long";
    return this.#forwarder.fromClient(now, allocation, peer, data, 0);
  }

  #settle(now: number, id: RelayId, socket: "bound" | "failed"): void {
    const relay = this.#allocations.relay(id);
    if (!relay) return;
    relay.socket = socket;
    this.#requests.settle(now, relay);
    // Those who waited were told; who asks again may be luckier.
    if (socket === "failed") relay.socket = "none";
  }

  #drop(reason: TurnDrop): void {
    this.counters.dropped[reason]++;
  }

  #sweep(now: number): void {
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#allocations.sweep(now);
    this.#accounts.expire(this.#options.unixTime());
    const idle = this.#connections.idle(now, (connection) => this.#allocations.ofConnection(now, connection) !== undefined);
    for (const connection of idle) this.#out.put({ type: "close", connection });
  }

  /** What expires is not used from that moment on; only what it took is given back a little later, all together. */
  #wake(now: number): void {
    if (this.#wakeAt !== Number.POSITIVE_INFINITY) return;
    if (this.#allocations.held + this.#accounts.size + this.#connections.size === 0) return;
    this.#wakeAt = now + SWEEP_MS;
    this.#out.put({ type: "wake", at: this.#wakeAt });
  }
}

function uint16At(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

const REALM = "awl";
const SWEEP_MS = 1000;

/** Bytes of data in a datagram that fits into Ethernet's 1,500. */
const UNFRAGMENTED = { ipv4: 1472, ipv6: 1452 };

function policyOf({ homes, hostAddresses, listening, allowed }: TurnServerOptions): AddressPolicy {
  return new AddressPolicy({
    relayAddresses: homes.map(({ publicAddress }) => publicAddress),
    ownAddresses: [...hostAddresses, ...homes.map(({ address }) => address)],
    listening,
    allowed,
  });
}
