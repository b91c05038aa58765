import {
  type AttributeValue,
  ChannelNumber,
  Data,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeChannelData,
  encodeMessage,
  type IntegrityAlgorithm,
  longTermKey,
  Method,
  Nonce,
  PasswordAlgorithm,
  PasswordAlgorithms,
  parseCidr,
  Realm,
  RequestedTransport,
  StunMessage,
  Username,
  verifyIntegrity,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";
import { type CredentialRequest, Credentials } from "./credentials.js";
import type { TurnInput, TurnOutput } from "./io.js";
import { TurnServer, type TurnServerOptions } from "./turn-server.js";

export const HOME = "8.8.4.4";
export const HOME6 = "2a00:1450::4";
export const PORT = 3478;
export const SECRET = "north remembers";
export const UDP = RequestedTransport.of(17);
/** A peer somewhere on the public Internet. */
export const PEER: Endpoint = { address: "9.9.9.9", port: 5000 };
export const OTHER_PEER: Endpoint = { address: "9.9.9.10", port: 5000 };

/** A server in virtual time, whose sockets can be bound at once, or not at all. */
export class World {
  readonly server: TurnServer;
  now = 1000;
  /** Seconds. */
  unixTime = 1_800_000_000;
  /** What was put out and is no answer to a client: forwards, binds and so on. */
  outputs: TurnOutput[] = [];
  bindable: boolean | "later" = true;
  #random = 0x1234567;
  #clients = 0;

  constructor(options: Partial<Omit<TurnServerOptions, "allowed">> & { readonly allowed?: readonly string[] } = {}) {
    this.server = new TurnServer({
      homes: [
        { address: HOME, publicAddress: HOME },
        { address: HOME6, publicAddress: HOME6 },
      ],
      hostAddresses: ["127.0.0.1", "::1", HOME, HOME6, "10.1.2.3"],
      listening: [HOME, HOME6].flatMap((address) => [3478, 3479].map((port) => ({ address, port }))),
      relayPorts: { low: 50_000, high: 50_999 },
      secrets: [SECRET],
      uris: [`turn:${HOME}:${PORT}`],
      dontFragment: true,
      random: (length) => this.random(length),
      unixTime: () => this.unixTime,
      ...options,
      allowed: (options.allowed ?? []).map(parseCidr),
    });
  }

  client(credential: Partial<Credential> = {}, from?: Endpoint): Client {
    const number = this.#clients++;
    return new Client(this, from ?? { address: `1.2.${number >> 8}.${number & 0xff}`, port: 40_000 }, { ...this.rest(), ...credential });
  }

  /** The operator's credential of a user, as another program would make it. */
  rest(user = "ada", seconds = 3600, secret = SECRET): Credential {
    const username = `${this.unixTime + seconds}:${user}`;
    let password = "";
    new Credentials([secret]).grant(username, (right) => {
      password = right;
      return true;
    });
    return { username, password, realm: "awl", nonce: "" };
  }

  issue(request: Partial<CredentialRequest> = {}): Credential {
    return this.server.issue({ user: "a", pair: "p", peers: [], bytes: 1e9, ...request });
  }

  /** Lets time pass, with a tick a second, as the driver would. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      this.unixTime++;
      this.feed({ type: "tick" });
    }
  }

  /** Hands it in; returns what is for the client at `to`, and keeps the rest. */
  feed(input: TurnInput, to?: Client): Buffer[] {
    const answers: Buffer[] = [];
    for (const output of this.server.handle(this.now, input)) {
      const bytes = to?.isFor(output);
      if (bytes) answers.push(bytes);
      else this.outputs.push(output);
      if (output.type === "close") this.feed({ type: "disconnected", connection: output.connection });
      if (output.type === "bind" && this.bindable !== "later") {
        answers.push(...this.feed({ type: this.bindable ? "bound" : "unbound", relay: output.relay }, to));
      }
    }
    return answers;
  }

  take<T extends TurnOutput["type"]>(type: T): Extract<TurnOutput, { type: T }>[] {
    const taken = this.outputs.filter((output) => output.type === type) as Extract<TurnOutput, { type: T }>[];
    this.outputs = this.outputs.filter((output) => output.type !== type);
    return taken;
  }

  random(length: number): Buffer {
    return Buffer.from(Uint8Array.from({ length }, () => this.#next()));
  }

  #next(): number {
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return this.#random & 0xff;
  }
}

export interface Credential {
  readonly username: string;
  readonly password: string;
  readonly realm: string;
  nonce: string;
}

/** A client with an allocation. */
export function allocated(world: World, ...args: Parameters<World["client"]>): Client {
  const client = world.client(...args);
  client.relayed();
  return client;
}

/** A client on a TCP connection. */
export function connected(world: World, connection = 7, from: Endpoint = { address: "1.2.3.4", port: 999 }): Client {
  world.feed({ type: "connected", connection, local: 0, from });
  return new Client(world, from, world.rest(), connection);
}

/** A TURN client that says what it is told to. */
export class Client {
  readonly #world: World;
  readonly from: Endpoint;
  readonly connection: number | undefined;
  credential: Credential;
  algorithm: IntegrityAlgorithm = "sha1";
  hash: "md5" | "sha256" = "md5";

  constructor(world: World, from: Endpoint, credential: Credential, connection?: number) {
    this.#world = world;
    this.from = from;
    this.credential = credential;
    this.connection = connection;
  }

  isFor(output: TurnOutput): Buffer | undefined {
    if (output.type === "write" && output.connection === this.connection) return Buffer.from(output.bytes);
    if (output.type !== "send" || this.connection !== undefined) return undefined;
    return output.to.port === this.from.port && output.to.address === this.from.address ? Buffer.from(output.bytes) : undefined;
  }

  sendBytes(bytes: Buffer): Buffer[] {
    const { connection, from } = this;
    const input: TurnInput = connection === undefined ? { type: "datagram", local: 0, from, bytes } : { type: "frame", connection, bytes };
    return this.#world.feed(input, this);
  }

  /** Without credentials; the answer, if there is one. */
  askBare(method: number, attributes: readonly AttributeValue[] = []): StunMessage | undefined {
    const [answer] = this.sendBytes(encodeMessage({ method, class: "request", transactionId: this.#world.random(12), attributes }));
    return answer && decoded(answer);
  }

  request(method: number, attributes: readonly AttributeValue[] = [], transactionId = this.#world.random(12)): Buffer {
    const { username, realm, password, nonce } = this.credential;
    const offer = [2, 1].map((algorithm) => ({ algorithm, parameters: Buffer.alloc(0) }));
    const chosen = [PasswordAlgorithm.of({ algorithm: 2, parameters: Buffer.alloc(0) }), PasswordAlgorithms.of(offer)];
    return encodeMessage({
      method,
      class: "request",
      transactionId,
      attributes: [...attributes, Username.of(username), Realm.of(realm), Nonce.of(nonce), ...(this.hash === "sha256" ? chosen : [])],
      integrity: [{ algorithm: this.algorithm, key: longTermKey(username, realm, password, this.hash) }],
    });
  }

  /** With credentials; fetches a nonce first if it has none. The answer's signature is checked. */
  ask(method: number, attributes: readonly AttributeValue[] = []): StunMessage {
    if (this.credential.nonce === "") this.fetchNonce();
    return this.askSigned(this.request(method, attributes));
  }

  askSigned(request: Buffer): StunMessage {
    const [bytes] = this.sendBytes(request);
    if (!bytes) throw new Error("no answer");
    const answer = decoded(bytes);
    const { username, realm, password } = this.credential;
    const code = answer.get(ErrorCode)?.code ?? 0;
    const unsigned = code === 401 || code === 438 || (code === 400 && answer.bytes.length === 28);
    if (!unsigned && !verifyIntegrity(answer, this.algorithm, longTermKey(username, realm, password, this.hash))) {
      throw new Error("badly signed");
    }
    return answer;
  }

  fetchNonce(): void {
    this.credential = { ...this.credential, nonce: this.askBare(Method.Allocate, [UDP])?.get(Nonce) ?? "" };
  }

  /** The relayed address, or the error's code. */
  allocate(attributes: readonly AttributeValue[] = []): Endpoint | number {
    const answer = this.ask(Method.Allocate, [UDP, ...attributes]);
    return answer.get(XorRelayedAddress) ?? codeOf(answer);
  }

  /** As `allocate`, for where nothing else than success will do. */
  relayed(attributes: readonly AttributeValue[] = []): Endpoint {
    const relayed = this.allocate(attributes);
    if (typeof relayed === "number") throw new Error(`not allocated: ${relayed}`);
    return relayed;
  }

  /** 0, or the error's code. */
  permit(...peers: Endpoint[]): number {
    return codeOf(
      this.ask(
        Method.CreatePermission,
        peers.map((peer) => XorPeerAddress.of(peer)),
      ),
    );
  }

  bind(channel: number, peer: Endpoint): number {
    return codeOf(this.ask(Method.ChannelBind, [ChannelNumber.of(channel), XorPeerAddress.of(peer)]));
  }

  send(peer: Endpoint, data: string | Buffer, attributes: readonly AttributeValue[] = []): Buffer[] {
    const all = [XorPeerAddress.of(peer), Data.of(Buffer.from(data)), ...attributes];
    return this.sendBytes(encodeMessage({ method: Method.Send, class: "indication", transactionId: Buffer.alloc(12, 7), attributes: all }));
  }

  sendOn(channel: number, data: string | Buffer): Buffer[] {
    return this.sendBytes(encodeChannelData(channel, Buffer.from(data), this.connection !== undefined, 0x7fff));
  }
}

/** 0: success. */
export function codeOf(answer: StunMessage): number {
  return answer.get(ErrorCode)?.code ?? (answer.class === "success" ? 0 : -1);
}

export function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeMessage(bytes);
  if (message instanceof StunMessage) return message;
  throw new Error(message);
}

/** Client messages that are accounted for. */
export function accounted({ counters, waiting }: TurnServer): number {
  const { succeeded, refused, forwarded, handedOver, dropped } = counters;
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0);
  return succeeded + sum(refused) + forwarded + handedOver + sum(dropped) + waiting;
}
