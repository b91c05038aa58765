import type { Endpoint } from "@awl/wire";
import type { SignalLimits } from "./limits.js";
import { sourceOf } from "./source.js";
import { TokenBucket } from "./token-bucket.js";

/** The driver's name of a connection. */
export type ClientId = number;

/** One side's view of a link: `number` is its name on this side's connection. */
export interface LinkEnd {
  readonly number: number;
  readonly client: Client;
  readonly link: Link;
}

/** A knocker and the listener of a room, who may send each other frames. */
export interface Link {
  readonly room: Room;
  readonly knocker: LinkEnd;
  readonly listener: LinkEnd;
  /** When the listener last said that it has let the knocker in. */
  admittedAt: number;
  /** What relays know the two sides as, once they have been admitted. */
  pair?: string;
}

/** A listener, reachable under a name. */
export interface Room {
  readonly name: string;
  readonly listener: Client;
  readonly knocks: TokenBucket;
}

/** One connection. */
export class Client {
  readonly id: ClientId;
  readonly observed: Endpoint;
  readonly source: string;
  /** Until it is used up. */
  challenge: Buffer | undefined;
  room: Room | undefined;
  readonly ends = new Map<number, LinkEnd>();
  /** Of the links, those that it knocked for. */
  knocked = 0;
  /** Bytes that wait to be sent to it, as last reported. */
  waiting = 0;
  /** Told to go: whatever it still says is not heard, and only its place is still taken. */
  closing = false;
  readonly #limits: SignalLimits;
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  #numbers = 0;

  constructor(now: number, id: ClientId, observed: Endpoint, challenge: Buffer, limits: SignalLimits) {
    this.id = id;
    this.observed = observed;
    this.source = sourceOf(observed.address);
    this.challenge = challenge;
    this.#limits = limits;
    this.#messages = new TokenBucket(now, limits.messageBurst);
    this.#bytes = new TokenBucket(now, limits.byteBurst);
  }

  /** Counts a message from it against its limits; the code of the one that it breaks. */
  meter(now: number, bytes: number): "too-large" | "too-fast" | "too-much" | undefined {
    const { messageBytes, messageRate, messageBurst, byteRate, byteBurst } = this.#limits;
    if (bytes > messageBytes) return "too-large";
    if (!this.#messages.take(now, 1, messageRate, messageBurst)) return "too-fast";
    return this.#bytes.take(now, bytes, byteRate, byteBurst) ? undefined : "too-much";
  }

  /** A number that no link of this connection has had: frames that were under way when a link ended must not reach the next one. */
  nextNumber(): number {
    return this.#numbers++;
  }

  get links(): number {
    return this.ends.size;
  }
}

/** The other end of the same link. */
export function otherEnd({ link, client }: LinkEnd): LinkEnd {
  return link.knocker.client === client ? link.listener : link.knocker;
}
