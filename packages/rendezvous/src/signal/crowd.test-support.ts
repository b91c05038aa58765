import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  decodeServerMessage,
  decodeSignalFrame,
  encodeClientMessage,
  encodeSignalFrame,
  registrationPayload,
  roomOf,
  type SignalClientMessage,
  type SignalServerMessage,
} from "@awl/wire";
import type { SignalLimits } from "./limits.js";
import type { SignalInput, SignalOutput, SignalServerOptions } from "./signal-io.js";
import { SignalServer } from "./signal-server.js";

/** An Ed25519 key pair, and its room. */
export interface Key {
  readonly key: Buffer;
  readonly room: string;
  sign(payload: Uint8Array): Buffer;
}

export function makeKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { key: rawKey(publicKey), room: roomOf(rawKey(publicKey)), sign: (payload) => sign(null, payload, privateKey) };
}

function rawKey(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
}

export const STUN_PORT = 3478;

/** A server with clients around it, in virtual time. */
export class Crowd {
  readonly server: SignalServer;
  readonly guests = new Map<number, Guest>();
  now = 0;
  wakeAt = Number.POSITIVE_INFINITY;
  #challenges = 0;

  constructor(limits: Partial<SignalLimits> = {}, relays?: SignalServerOptions["relays"]) {
    const random = (length: number) =>
      createHash("sha256")
        .update(`challenge ${this.#challenges++}`)
        .digest()
        .subarray(0, length);
    this.server = new SignalServer({ limits, stunPort: STUN_PORT, random, ...(relays && { relays }) });
  }

  connect(address = "192.0.2.1"): Guest {
    const guest = new Guest(this, this.guests.size, { address, port: 40_000 + this.guests.size });
    this.guests.set(guest.id, guest);
    this.feed({ type: "connected", client: guest.id, observed: guest.observed });
    return guest;
  }

  /** Connected and registered. */
  listener(key = makeKey(), address?: string): Guest {
    const guest = this.connect(address);
    guest.register(key);
    guest.take("registered");
    return guest;
  }

  /** Lets time pass, ticks where they are due included. */
  pass(ms: number): void {
    const until = this.now + ms;
    while (this.wakeAt <= until) {
      this.now = Math.max(this.now, this.wakeAt);
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.feed({ type: "tick" });
    }
    this.now = until;
  }

  feed(input: SignalInput): void {
    for (const output of this.server.handle(this.now, input)) this.#perform(output);
  }

  #perform(output: SignalOutput): void {
    if (output.type === "wake") {
      this.wakeAt = output.at;
      return;
    }
    const guest = this.guests.get(output.client);
    if (!guest || guest.gone) throw new Error(`output for client ${output.client}, who is not there`);
    if (guest.closed) throw new Error(`output for client ${output.client} behind its close`);
    if (output.type === "close") guest.closed = { code: output.code, reason: output.reason };
    else guest.receive(output.data);
  }
}

/** One client. What it was sent waits in `messages` and `frames` until it is taken out. */
export class Guest {
  readonly id: number;
  readonly observed: { readonly address: string; readonly port: number };
  readonly frames: { readonly link: number; readonly data: string }[] = [];
  readonly messages: SignalServerMessage[] = [];
  challenge = Buffer.alloc(0);
  closed: { readonly code: number; readonly reason: string } | undefined;
  gone = false;
  readonly #crowd: Crowd;

  constructor(crowd: Crowd, id: number, observed: { readonly address: string; readonly port: number }) {
    this.#crowd = crowd;
    this.id = id;
    this.observed = observed;
  }

  receive(data: string | Buffer): void {
    if (typeof data !== "string") {
      const frame = decodeSignalFrame(data);
      if (typeof frame === "string") throw new Error(frame);
      this.frames.push({ link: frame.link, data: frame.data.toString("latin1") });
      return;
    }
    const message = decodeServerMessage(data);
    if (typeof message === "string") throw new Error(`${message}: ${data}`);
    if (message.type === "welcome") this.challenge = Buffer.from(message.challenge);
    else this.messages.push(message);
  }

  say(message: SignalClientMessage): void {
    this.sayText(encodeClientMessage(message));
  }

  sayText(text: string): void {
    this.#crowd.feed({ type: "text", client: this.id, text });
  }

  sayBytes(bytes: Uint8Array): void {
    this.#crowd.feed({ type: "binary", client: this.id, bytes });
  }

  register({ key, room, sign }: Key): void {
    this.say({ type: "register", version: 1, key, signature: sign(registrationPayload(this.challenge, room)) });
  }

  knock(room: string): void {
    this.say({ type: "knock", version: 1, room });
  }

  /** Knocks, and gives the two numbers of the link. */
  link(listener: Guest, room: string): [number, number] {
    this.knock(room);
    return [this.take("linked").link, listener.take("knocked").link];
  }

  frame(link: number, data: string): void {
    this.sayBytes(encodeSignalFrame(link, Buffer.from(data, "latin1")));
  }

  leave(): void {
    this.gone = true;
    this.#crowd.feed({ type: "disconnected", client: this.id });
  }

  /** The oldest message that was not taken yet, which must be of this type. */
  take<T extends SignalServerMessage["type"]>(type: T): SignalServerMessage & { type: T } {
    const message = this.messages.shift();
    if (message?.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    return message as SignalServerMessage & { type: T };
  }
}
