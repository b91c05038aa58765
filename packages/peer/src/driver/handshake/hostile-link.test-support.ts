import { randomBytes } from "node:crypto";
import { PeerError } from "../../errors.js";
import { type Identity, identityFromSeed } from "../../identity.js";
import { type HandshakeOptions, handshake } from "../handshake.js";
import { type LinkDuplex, linkDuplex } from "./link-duplex.js";
import type { SecureChannel } from "./secure-channel.js";

export type Direction = "to-listener" | "to-connector";

export interface Carried {
  readonly direction: Direction;
  readonly bytes: Uint8Array;
}

/** What a rendezvous makes of a frame: the bytes that it forwards in its place, in order. `index` counts the frames of a direction. */
export type Meddling = (frame: Carried, index: number) => readonly Uint8Array[];

/** Two streams with a rendezvous between them, in memory. */
export interface Link {
  readonly listener: LinkDuplex;
  readonly connector: LinkDuplex;
  /** What the two sent, before any meddling. */
  readonly transcript: Carried[];
}

export function makeLink(meddle: Meddling = ({ bytes }) => [bytes]): Link {
  const transcript: Carried[] = [];
  const counts = { "to-listener": 0, "to-connector": 0 };
  const carry = (direction: Direction, to: () => LinkDuplex) => (bytes: Uint8Array) => {
    const frame = { direction, bytes };
    transcript.push(frame);
    for (const forwarded of meddle(frame, counts[direction]++)) setImmediate(() => to().push(forwarded));
  };
  const listener: LinkDuplex = linkDuplex({
    write: carry("to-connector", () => connector),
    onClose: () => setImmediate(() => connector.end()),
  });
  const connector: LinkDuplex = linkDuplex({
    write: carry("to-listener", () => listener),
    onClose: () => setImmediate(() => listener.end()),
  });
  return { listener, connector, transcript };
}

export function newIdentity(): Identity {
  return identityFromSeed(randomBytes(32));
}

/** A listener and a connector who belong together. */
export class Cast {
  readonly secret = randomBytes(16);
  readonly listener = newIdentity();
  readonly connector = newIdentity();

  listen(link: Pick<Link, "listener">, over: Partial<HandshakeOptions> = {}): Promise<SecureChannel> {
    return handshake({ ...this.#ticket, role: "listener", duplex: link.listener.duplex, identity: this.listener, ...over });
  }

  connect(link: Pick<Link, "connector">, over: Partial<HandshakeOptions> = {}): Promise<SecureChannel> {
    return handshake({ ...this.#ticket, role: "connector", duplex: link.connector.duplex, identity: this.connector, ...over });
  }

  /** Both at once. */
  meet(link: Link, over: Partial<HandshakeOptions> = {}): Promise<[Outcome, Outcome]> {
    return Promise.all([outcomeOf(this.listen(link, over)), outcomeOf(this.connect(link, over))]);
  }

  /** For who got a channel with somebody else. */
  isRight(channel: SecureChannel, of: "listener" | "connector"): boolean {
    return Buffer.from(channel.peerKey).equals(of === "listener" ? this.connector.publicKey : this.listener.publicKey);
  }

  get #ticket() {
    return { secret: this.secret, listenerKey: this.listener.publicKey };
  }
}

/** A channel, or the code of the PeerError. Anything else thrown is a mistake. */
export type Outcome = SecureChannel | string;

export async function outcomeOf(attempt: Promise<SecureChannel>): Promise<Outcome> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof PeerError) return error.code;
    throw error;
  }
}

/** Those who were given a channel are done with it. */
export function closeAll(...outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) if (typeof outcome !== "string") outcome.close();
}

export function received(channel: SecureChannel, count: number): Promise<Uint8Array[]> {
  return new Promise((resolve) => {
    const messages: Uint8Array[] = [];
    channel.onMessage((message) => {
      if (messages.push(message) === count) resolve(messages);
    });
  });
}

/** All that the two say to each other until they know each other. */
export async function transcriptOf(who: Cast): Promise<Carried[]> {
  const link = makeLink();
  const outcomes = await who.meet(link);
  const transcript = [...link.transcript];
  closeAll(...outcomes);
  return transcript;
}

/** The frames of one direction. */
export const bytesOf = (transcript: readonly Carried[], direction: Direction) =>
  transcript.filter((frame) => frame.direction === direction).map(({ bytes }) => bytes);
