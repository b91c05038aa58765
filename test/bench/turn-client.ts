import { randomBytes } from "node:crypto";
import {
  type AttributeValue,
  ChannelNumber,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeMessage,
  longTermKey,
  Method,
  Nonce,
  Realm,
  RequestedTransport,
  StunMessage,
  Username,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";
import { type LoopbackSocket, loopbackSocket } from "../interop/loopback.js";

/** A long-term credential. */
export interface BenchCredential {
  readonly username: string;
  readonly password: string;
}

/** A TURN client on UDP, as much of one as a benchmark needs; with any server. */
export class BenchClient implements AsyncDisposable {
  readonly link: LoopbackSocket;
  readonly #server: Endpoint;
  readonly #credential: BenchCredential;
  #realm = "";
  #nonce = "";

  private constructor(link: LoopbackSocket, server: Endpoint, credential: BenchCredential) {
    this.link = link;
    this.#server = server;
    this.#credential = credential;
  }

  static async open(server: Endpoint, credential: BenchCredential): Promise<BenchClient> {
    return new BenchClient(await loopbackSocket(), server, credential);
  }

  /** Returns its relayed address. */
  async allocate(): Promise<Endpoint> {
    const transport = [RequestedTransport.of(17)];
    const challenge = await this.#ask(Method.Allocate, transport);
    this.#realm = challenge.get(Realm) ?? "";
    this.#nonce = challenge.get(Nonce) ?? "";
    const relayed = (await this.#ask(Method.Allocate, transport)).get(XorRelayedAddress);
    if (!relayed) throw new Error("no allocation");
    return relayed;
  }

  async bind(channel: number, peer: Endpoint): Promise<void> {
    const answer = await this.#ask(Method.ChannelBind, [ChannelNumber.of(channel), XorPeerAddress.of(peer)]);
    if (answer.class !== "success") throw new Error(`no channel: ${answer.get(ErrorCode)?.code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
  }

  async #ask(method: number, attributes: readonly AttributeValue[]): Promise<StunMessage> {
    const { username, password } = this.#credential;
    const signed = this.#nonce !== "";
    const answer = this.link.receive();
    const request = encodeMessage({
      method,
      class: "request",
      transactionId: randomBytes(12),
      attributes: signed ? [...attributes, Username.of(username), Realm.of(this.#realm), Nonce.of(this.#nonce)] : attributes,
      integrity: signed ? [{ algorithm: "sha1", key: longTermKey(username, this.#realm, password) }] : [],
    });
    this.link.send(request, this.#server);
    const message = decodeMessage(await answer);
    if (message instanceof StunMessage) return message;
    throw new Error(message);
  }
}
