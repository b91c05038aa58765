import { createHash } from "node:crypto";
import {
  AlternateServer,
  type AttributeValue,
  addressFamily,
  ChannelNumber,
  Data,
  decodeChannelData,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeChannelData,
  encodeMessage,
  endpoint,
  formatEndpoint,
  Lifetime,
  longTermKey,
  MessageIntegrity,
  MessageIntegritySha256,
  Method,
  Nonce,
  PasswordAlgorithm,
  PasswordAlgorithms,
  Realm,
  RequestedAddressFamily,
  type StunMessage,
  Userhash,
  Username,
  verifyIntegrity,
  XorMappedAddress,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";

export const ADA = { username: "ada", password: "lovelace" } as const;
export const REALM = "example.org";

export interface ServerDoubleOptions {
  readonly address: string;
  /** Offers SHA-256. @default false */
  readonly sha256?: boolean;
  /** Wants USERHASH. @default false */
  readonly anonymous?: boolean;
  /** Another user, whom an allocation is passed on to. @default none */
  readonly successor?: { readonly username: string; readonly password: string };
  /** When ada's credentials expire. @default never */
  readonly expiresAt?: number;
  /** @default for ever */
  readonly nonceMs?: number;
  /** @default 600 */
  readonly lifetimeSeconds?: number;
  /** What it answers to authenticated requests of a method, in place of doing as asked. */
  readonly refuse?: (method: number, request: StunMessage, now: number) => { code: number; to?: Endpoint } | undefined;
  /** Changes an answer before it is sent, or takes its place. */
  readonly meddle?: (bytes: Buffer, request: StunMessage) => Buffer | undefined;
}

interface Allocation {
  readonly client: string;
  readonly relayed: Endpoint;
  readonly transactionId: string;
  until: number;
  readonly permissions: Map<string, number>;
  readonly channels: Map<number, { peer: Endpoint; until: number }>;
}

export type ServerSends = (to: { client: Endpoint; bytes: Buffer } | { peer: Endpoint; from: Endpoint; bytes: Buffer }) => void;

const NO_PARAMETERS = new Uint8Array(0);
const OFFER = [2, 1].map((algorithm) => ({ algorithm, parameters: NO_PARAMETERS }));

/** A TURN server in RFC 8656's words, strict where a client may be wrong: what breaks a rule is refused, and noted. */
export class TurnServerDouble {
  /** Rules of RFC 8656 that a client broke. */
  readonly violations: string[] = [];
  /** Authenticated requests, by method. */
  readonly requests = new Map<number, number>();
  readonly allocations = new Map<string, Allocation>();
  readonly #options: ServerDoubleOptions;
  readonly #send: ServerSends;
  readonly #padded: boolean;
  #nextPort = 50_000;
  #nonceKey = 0;

  constructor(options: ServerDoubleOptions, send: ServerSends, stream = false) {
    this.#options = options;
    this.#send = send;
    this.#padded = stream;
  }

  /** A realm and nonce that a rendezvous would have handed out. */
  issue(now: number): { realm: string; nonce: string; passwordAlgorithms?: typeof OFFER } {
    return { realm: REALM, nonce: this.#nonce(now), ...(this.#options.sha256 && { passwordAlgorithms: OFFER }) };
  }

  /** Nothing that was said before counts any more. */
  restart(): void {
    this.allocations.clear();
    this.#nonceKey += 1;
  }

  staleAllNonces(): void {
    this.#nonceKey += 1;
  }

  receive(now: number, client: Endpoint, bytes: Buffer): void {
    if ((bytes[0] ?? 0) >> 6 === 1) return this.#receiveChannelData(now, client, bytes);
    const request = decodeMessage(bytes);
    if (typeof request === "string") throw new Error(`the client sent what is no message: ${request}`);
    if (request.class === "indication") return this.#receiveIndication(now, client, request);
    const answer = this.#answer(now, client, request);
    const meddled = answer && (this.#options.meddle?.(answer, request) ?? answer);
    if (meddled) this.#send({ client, bytes: meddled });
  }

  /** A datagram of a peer's, to a relayed address. */
  fromPeer(now: number, relayed: Endpoint, from: Endpoint, bytes: Buffer): void {
    const allocation = [...this.allocations.values()].find((one) => formatEndpoint(one.relayed) === formatEndpoint(relayed));
    if (!allocation || now >= allocation.until || now >= (allocation.permissions.get(from.address) ?? 0)) return;
    const client = parse(allocation.client);
    for (const [number, { peer, until }] of allocation.channels) {
      if (now < until && formatEndpoint(peer) === formatEndpoint(from))
        return this.#send({ client, bytes: encodeChannelData(number, bytes, this.#padded) });
    }
    const attributes = [XorPeerAddress.of(from), Data.of(bytes)];
    this.#send({
      client,
      bytes: encodeMessage({ method: Method.Data, class: "indication", transactionId: Buffer.alloc(12, 7), attributes }),
    });
  }

  #receiveChannelData(now: number, client: Endpoint, bytes: Buffer): void {
    const frame = decodeChannelData(bytes);
    const allocation = this.#allocationOf(now, client);
    if (typeof frame === "string") throw new Error(frame);
    if (this.#padded && bytes.length % 4 !== 0) this.violations.push("ChannelData on a stream is not padded");
    const channel = allocation?.channels.get(frame.channel);
    if (!allocation || !channel || now >= channel.until) return;
    if (now < (allocation.permissions.get(channel.peer.address) ?? 0))
      this.#send({ peer: channel.peer, from: allocation.relayed, bytes: frame.data });
  }

  #receiveIndication(now: number, client: Endpoint, message: StunMessage): void {
    const allocation = this.#allocationOf(now, client);
    const peer = message.get(XorPeerAddress);
    const data = message.get(Data);
    if (message.method !== Method.Send || !allocation || !peer || !data) return;
    if (now < (allocation.permissions.get(peer.address) ?? 0)) this.#send({ peer, from: allocation.relayed, bytes: data as Buffer });
  }

  #answer(now: number, client: Endpoint, request: StunMessage): Buffer | undefined {
    const key = this.#authenticate(now, request);
    if (typeof key === "number") {
      const features = this.#options.sha256 ? [PasswordAlgorithms.of(OFFER)] : [];
      return this.#encode(request, "error", [error(key), Realm.of(REALM), Nonce.of(this.#nonce(now)), ...features]);
    }
    this.requests.set(request.method, (this.requests.get(request.method) ?? 0) + 1);
    const refusal = this.#options.refuse?.(request.method, request, now);
    if (refusal) {
      const alternate = refusal.to ? [AlternateServer.of(refusal.to)] : [];
      return this.#encode(request, "error", [error(refusal.code), ...alternate], key);
    }
    const result = this.#perform(now, client, request);
    return typeof result === "number"
      ? this.#encode(request, "error", [error(result)], key)
      : this.#encode(request, "success", result, key);
  }

  #perform(now: number, client: Endpoint, request: StunMessage): AttributeValue[] | number {
    const allocation = this.#allocationOf(now, client);
    if (request.method === Method.Allocate) return this.#allocate(now, client, request, allocation);
    if (!allocation) return 437;
    const peers = request.all(XorPeerAddress);
    if (peers.some(({ address }) => addressFamily(address) !== addressFamily(allocation.relayed.address))) return 443;
    switch (request.method) {
      case Method.Refresh: {
        const seconds = request.get(Lifetime) ?? this.#lifetime;
        allocation.until = now + seconds * 1_000;
        if (seconds === 0) this.allocations.delete(allocation.client);
        return [Lifetime.of(seconds)];
      }
      case Method.CreatePermission:
        for (const { address } of peers) allocation.permissions.set(address, now + 300_000);
        return peers.length > 0 ? [] : 400;
      case Method.ChannelBind:
        return this.#bind(now, allocation, request);
      default:
        return 400;
    }
  }

  #allocate(now: number, client: Endpoint, request: StunMessage, before: Allocation | undefined): AttributeValue[] | number {
    const transactionId = request.transactionId.toString("hex");
    if (before && before.transactionId !== transactionId) return 437;
    const address = request.get(RequestedAddressFamily) === 6 ? "2001:db8::99" : this.#options.address;
    const allocation = before ?? {
      client: formatEndpoint(client),
      relayed: { address, port: this.#nextPort++ },
      transactionId,
      until: now + this.#lifetime * 1_000,
      permissions: new Map(),
      channels: new Map(),
    };
    this.allocations.set(allocation.client, allocation);
    return [XorRelayedAddress.of(allocation.relayed), Lifetime.of(this.#lifetime), XorMappedAddress.of(client)];
  }

  #bind(now: number, allocation: Allocation, request: StunMessage): [] | number {
    const number = request.get(ChannelNumber) ?? 0;
    const peer = request.get(XorPeerAddress);
    if (!peer || number < 0x4000 || number > 0x4fff) return 400;
    for (const [other, channel] of allocation.channels) {
      const isSame = formatEndpoint(channel.peer) === formatEndpoint(peer);
      if (now >= channel.until + 300_000 || (other === number) === isSame) continue;
      this.violations.push(`channel ${number} for ${formatEndpoint(peer)} too soon after ${other} for ${formatEndpoint(channel.peer)}`);
      return 400;
    }
    allocation.channels.set(number, { peer, until: now + 600_000 });
    allocation.permissions.set(peer.address, now + 300_000);
    return [];
  }

  #allocationOf(now: number, client: Endpoint): Allocation | undefined {
    const allocation = this.allocations.get(formatEndpoint(client));
    return allocation && now < allocation.until ? allocation : undefined;
  }

  /** The key to sign the answer with, or the error. */
  #authenticate(now: number, request: StunMessage): { algorithm: "sha1" | "sha256"; key: Buffer } | number {
    if (!request.has(MessageIntegrity) && !request.has(MessageIntegritySha256)) return 401;
    const nonce = request.get(Nonce);
    const offered = request.get(PasswordAlgorithms);
    const chosen = request.get(PasswordAlgorithm);
    if (nonce === undefined || !this.#isFresh(now, nonce)) return 438;
    if (offered && JSON.stringify(offered.map(({ algorithm }) => algorithm)) !== "[2,1]") return 401;
    const hash = createHash("sha256").update(`${ADA.username}:${REALM}`).digest();
    const isAda = this.#options.anonymous ? request.get(Userhash)?.toString() === hash.toString() : request.get(Username) === ADA.username;
    const { successor, expiresAt = Number.POSITIVE_INFINITY } = this.#options;
    const user = isAda && now < expiresAt ? ADA : request.get(Username) === successor?.username ? successor : undefined;
    if (!user) return 401;
    const key = longTermKey(user.username, REALM, user.password, chosen?.algorithm === 2 ? "sha256" : "md5");
    const algorithm = request.has(MessageIntegritySha256) ? "sha256" : "sha1";
    return verifyIntegrity(request, algorithm, key) ? { algorithm, key } : 401;
  }

  #nonce(now: number): string {
    const features = (this.#options.sha256 ? 0x80 : 0) | (this.#options.anonymous ? 0x40 : 0);
    return `obMatJos2${Buffer.from([features, 0, 0]).toString("base64")}${this.#nonceKey}.${now}`;
  }

  #isFresh(now: number, nonce: string): boolean {
    const [key, madeAt] = nonce.slice(13).split(".");
    return Number(key) === this.#nonceKey && now <= Number(madeAt) + (this.#options.nonceMs ?? Number.POSITIVE_INFINITY);
  }

  get #lifetime(): number {
    return this.#options.lifetimeSeconds ?? 600;
  }

  #encode(
    { method, transactionId }: StunMessage,
    kind: "success" | "error",
    attributes: readonly AttributeValue[],
    signature?: { algorithm: "sha1" | "sha256"; key: Buffer },
  ): Buffer {
    return encodeMessage({ method, class: kind, transactionId, attributes, ...(signature && { integrity: [signature] }) });
  }
}

function error(code: number): AttributeValue {
  return ErrorCode.of({ code, reason: "" });
}

function parse(text: string): Endpoint {
  const at = text.lastIndexOf(":");
  return endpoint(text.slice(0, at), Number(text.slice(at + 1)));
}
