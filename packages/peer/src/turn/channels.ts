import { ChannelNumber, type Endpoint, MAX_CHANNEL, Method, MIN_CHANNEL, XorPeerAddress } from "@awl/wire";
import { IDLE_MS, type Installer, renewalMs, retryMs } from "./renewal.js";
import type { Result } from "./transactions.js";

/** RFC 8656 section 12. */
const LIFETIME_MS = 600_000;

/** Nor is its number given to another peer, nor its peer another number, for so long after that. RFC 8656 section 12. */
const QUARANTINE_MS = 300_000;

/** Most endpoints that a session tries lead nowhere. A channel is for those who answer, or who get that many datagrams anyway. */
const SENDS_BEFORE_BINDING = 8;

/** What is more goes without a channel. */
const MAX_ENDPOINTS = 128;

interface Channel {
  readonly peer: Endpoint;
  sends: number;
  usedAt: number;
  /** Kept as long as the peer is known: it may be bound at the server even if no answer said so. */
  number: number | undefined;
  /** When the server forgets it. */
  until: number;
  /** When to look after it. */
  due: number;
  /** After a failure: not to be bound before. */
  notBefore: number;
  busy: boolean;
}

/** Numbers that stand for peers' endpoints: 4 bytes a datagram in place of 36 and more. RFC 8656 section 12. */
export class Channels {
  readonly #installer: Installer;
  readonly #bound: (now: number, address: string) => void;
  readonly #byPeer = new Map<string, Channel>();
  readonly #byNumber = new Map<number, Channel>();
  #nextNumber: number;
  /** Datagrams come in runs to one and the same peer: it is looked up once. */
  #latest: { readonly to: Endpoint; readonly channel: Channel } | undefined;

  /** `bound`: a channel to this address was bound, or renewed. */
  constructor(installer: Installer, bound: (now: number, address: string) => void) {
    this.#installer = installer;
    this.#bound = bound;
    this.#nextNumber = MIN_CHANNEL + Math.trunc(installer.random() * (MAX_CHANNEL + 1 - MIN_CHANNEL));
  }

  /** A datagram is to be sent there: returns the number to send it by, if there is one. */
  use(now: number, to: Endpoint): number | undefined {
    const channel = this.#latest?.to === to ? this.#latest.channel : this.#find(now, to);
    if (!channel) return undefined;
    channel.usedAt = now;
    channel.sends += 1;
    if (now < channel.until) return channel.number;
    if (channel.sends >= SENDS_BEFORE_BINDING) this.#bind(now, channel);
    return undefined;
  }

  /** A datagram came from there without a channel. */
  heard(now: number, from: Endpoint): void {
    const channel = this.#byPeer.get(keyOf(from));
    if (channel && now >= channel.until) this.#bind(now, channel);
  }

  /** Who a number stands for. */
  peerOf(number: number): Endpoint | undefined {
    return this.#byNumber.get(number)?.peer;
  }

  /** Renews what is used, and forgets what is not. */
  advance(now: number): void {
    for (const [key, channel] of this.#byPeer) {
      if (channel.busy || now < channel.due) continue;
      const isUsed = now < channel.usedAt + IDLE_MS;
      const endsAt = channel.until + QUARANTINE_MS;
      if (isUsed && now < channel.until) this.#bind(now, channel);
      else if (isUsed) channel.due = channel.usedAt + IDLE_MS;
      else if (now < endsAt) channel.due = endsAt;
      else this.#forget(key, channel);
    }
  }

  get deadline(): number {
    // The end of any of the requests on the way comes first.
    if (this.#installer.full()) return Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (const { busy, due } of this.#byPeer.values()) if (!busy) earliest = Math.min(earliest, due);
    return earliest;
  }

  #find(now: number, to: Endpoint): Channel | undefined {
    const channel = this.#byPeer.get(keyOf(to)) ?? this.#add(now, to);
    this.#latest = channel && { to, channel };
    return channel;
  }

  #add(now: number, { address, port }: Endpoint): Channel | undefined {
    if (this.#byPeer.size >= MAX_ENDPOINTS) return undefined;
    const peer = { address, port };
    const unbound = { number: undefined, until: Number.NEGATIVE_INFINITY, due: now + IDLE_MS, notBefore: now, busy: false };
    const channel: Channel = { peer, sends: 0, usedAt: now, ...unbound };
    this.#byPeer.set(keyOf(peer), channel);
    return channel;
  }

  #forget(key: string, channel: Channel): void {
    this.#byPeer.delete(key);
    if (channel.number !== undefined) this.#byNumber.delete(channel.number);
    this.#latest = undefined;
  }

  #bind(now: number, channel: Channel): void {
    if (channel.busy || now < channel.notBefore || this.#installer.full()) return;
    channel.number ??= this.#takeNumber(channel);
    channel.busy = true;
    this.#installer.begin(now, {
      method: Method.ChannelBind,
      attributes: [ChannelNumber.of(channel.number), XorPeerAddress.of(channel.peer)],
      done: (at, result) => this.#answered(at, channel, result),
    });
  }

  #answered(now: number, channel: Channel, result: Result): void {
    channel.busy = false;
    if (result.type === "failure") {
      channel.due = channel.notBefore = now + retryMs(result);
      return;
    }
    channel.until = now + LIFETIME_MS;
    channel.due = now + renewalMs(this.#installer.random);
    this.#bound(now, channel.peer.address);
  }

  /** In turn, so that a number rests for long before its next use. There are many more than endpoints. */
  #takeNumber(channel: Channel): number {
    while (this.#byNumber.has(this.#nextNumber)) this.#advanceNumber();
    const number = this.#nextNumber;
    this.#byNumber.set(number, channel);
    this.#advanceNumber();
    return number;
  }

  #advanceNumber(): void {
    this.#nextNumber = this.#nextNumber === MAX_CHANNEL ? MIN_CHANNEL : this.#nextNumber + 1;
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
