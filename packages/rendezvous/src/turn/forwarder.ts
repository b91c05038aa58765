import {
  addressFamily,
  Data,
  type Endpoint,
  encodeChannelData,
  encodeMessage,
  MAX_CLASSIC_CHANNEL,
  Method,
  XorPeerAddress,
} from "@awl/wire";
import { TokenBucket } from "../signal/token-bucket.js";
import type { AddressPolicy } from "./address-policy.js";
import type { Allocation, Relay } from "./allocation.js";
import type { Allocations } from "./allocations.js";
import type { PeerDrop, TurnCounters, TurnDrop } from "./counters.js";
import type { Outbox } from "./io.js";
import type { TurnLimits } from "./limits.js";

/** RFC 8656 section 12.4: bytes before the data of a ChannelData message. */
export const CHANNEL_HEADER = 4;

type Header = 0 | typeof CHANNEL_HEADER;

/** The path of relayed data. What it costs is paid for every packet: no promise, no closure, no text is made on it. */
export class Forwarder {
  readonly #allocations: Allocations;
  readonly #policy: AddressPolicy;
  readonly #limits: TurnLimits;
  readonly #counters: TurnCounters;
  readonly #out: Outbox;
  readonly #random: (length: number) => Buffer;
  readonly #rate: TokenBucket;
  /** Transaction ids of Data indications still to be used. */
  #ids: Buffer = Buffer.alloc(0);

  constructor(
    allocations: Allocations,
    policy: AddressPolicy,
    limits: TurnLimits,
    counters: TurnCounters,
    out: Outbox,
    random: (length: number) => Buffer,
  ) {
    this.#allocations = allocations;
    this.#policy = policy;
    this.#limits = limits;
    this.#counters = counters;
    this.#out = out;
    this.#random = random;
    this.#rate = new TokenBucket(0, limits.byteBurst);
  }

  /**
   * From a client to a peer; returns why it was dropped. RFC 8656 sections 11.2 and 12.6.
   *
   * @param payload the data, with `header` bytes before it: a ChannelData header, so that the message can be sent on with another number; or none
   */
  fromClient(now: number, allocation: Allocation, peer: Endpoint, payload: Uint8Array, header: Header): TurnDrop | undefined {
    const permission = allocation.permission(now, peer.address);
    const relay = allocation.relayOf(addressFamily(peer.address));
    if (!permission || !relay) return "no-permission";
    const length = payload.length - header;
    if (length > MAX_DATA) return "too-long";
    const over = this.#spend(now, allocation, length);
    if (over) return over;

    const target = this.#allocations.relayAt(now, peer);
    if (target) return this.#handOver(now, relay, target, payload, header);
    if (!permission.foreign || relay.socket !== "bound" || this.#policy.isListening(peer)) return "no-such-relay";
    this.#counters.forwarded++;
    this.#counters.bytes += length;
    this.#out.put({ type: "forward", relay: relay.id, to: peer, bytes: payload.subarray(header) });
    return undefined;
  }

  /** From a peer to the client. RFC 8656 sections 11.3 and 12.7. */
  fromPeer(now: number, { allocation }: Relay, from: Endpoint, data: Uint8Array): void {
    const { peers } = this.#counters;
    peers.received++;
    const dropped = this.#whyNotFromPeer(now, allocation, from, data.length);
    if (dropped) {
      peers.dropped[dropped]++;
      return;
    }
    peers.delivered++;
    this.#counters.bytes += data.length;
    this.#deliver(now, allocation, from, data, 0);
  }

  #whyNotFromPeer(now: number, allocation: Allocation, { address }: Endpoint, length: number): PeerDrop | undefined {
    if (allocation.expiresAt <= now || !allocation.permission(now, address)?.foreign) return "no-permission";
    return length > MAX_DATA ? "too-long" : this.#spend(now, allocation, length);
  }

  /** To another client of ours, whose relayed address the peer's is: through no socket, but by the same rules. */
  #handOver(now: number, relay: Relay, { allocation }: Relay, payload: Uint8Array, header: Header): TurnDrop | undefined {
    const { account } = relay.allocation;
    if (account.grant.pair !== allocation.account.grant.pair || !allocation.permission(now, relay.relayed.address)) {
      return "not-permitted-there";
    }
    const length = payload.length - header;
    if (allocation.account !== account) {
      const over = this.#spendUser(now, allocation, length);
      if (over) return over;
    }
    this.#counters.handedOver++;
    this.#counters.bytes += length;
    this.#deliver(now, allocation, relay.relayed, payload, header);
    return undefined;
  }

  #deliver(now: number, allocation: Allocation, from: Endpoint, payload: Uint8Array, header: Header): void {
    const { connection, local, remote } = allocation.path;
    const stream = connection !== undefined;
    const channel = allocation.channelTo(now, from);
    const bytes = !channel
      ? this.#indication(from, payload.subarray(header))
      : header > 0 && (!stream || payload.length % 4 === 0)
        ? renumbered(payload, channel.number)
        : encodeChannelData(channel.number, payload.subarray(header), stream, MAX_CLASSIC_CHANNEL);
    if (stream) this.#out.put({ type: "write", connection, bytes, data: true });
    else this.#out.put({ type: "send", local, to: remote, bytes });
  }

  #indication(from: Endpoint, data: Uint8Array): Buffer {
    const attributes = [XorPeerAddress.of(from), Data.of(data)];
    return encodeMessage({ method: Method.Data, class: "indication", transactionId: this.#nextId(), attributes });
  }

  #nextId(): Buffer {
    if (this.#ids.length < ID_BYTES) this.#ids = this.#random(256 * ID_BYTES);
    const id = this.#ids.subarray(0, ID_BYTES);
    this.#ids = this.#ids.subarray(ID_BYTES);
    return id;
  }

  #spend(now: number, allocation: Allocation, bytes: number): "user-rate" | "total-rate" | "byte-quota" | undefined {
    const { byteRate, byteBurst } = this.#limits;
    return this.#spendUser(now, allocation, bytes) ?? (this.#rate.take(now, bytes, byteRate, byteBurst) ? undefined : "total-rate");
  }

  #spendUser(now: number, { account }: Allocation, bytes: number): "user-rate" | "byte-quota" | undefined {
    const { userByteRate, userByteBurst } = this.#limits;
    if (account.bytesLeft < bytes) return "byte-quota";
    if (!account.rate.take(now, bytes, userByteRate, userByteBurst)) return "user-rate";
    account.bytesLeft -= bytes;
    return undefined;
  }
}

const ID_BYTES = 12;

/** Bytes: what an IPv4 datagram has room for, less a Data indication about an IPv6 peer. */
const MAX_DATA = 65_507 - 48;

/** The same ChannelData message for another client: its memory is ours. */
function renumbered(frame: Uint8Array, channel: number): Uint8Array {
  frame[0] = channel >> 8;
  frame[1] = channel & 0xff;
  return frame;
}
