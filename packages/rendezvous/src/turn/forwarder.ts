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
   * @param frame the ChannelData message that the data came in, which can be sent on with another number; `undefined`: it came otherwise
   */
  fromClient(now: number, allocation: Allocation, peer: Endpoint, data: Uint8Array, frame: Uint8Array | undefined): TurnDrop | undefined {
    const permission = allocation.permission(now, peer.address);
    const relay = allocation.relayOf(addressFamily(peer.address));
    if (!permission || !relay) return "no-permission";
    if (data.length > MAX_DATA) return "too-long";
    const over = this.#spend(now, allocation, data.length);
    if (over) return over;

    const target = this.#allocations.relayAt(now, peer);
    if (target) return this.#handOver(now, relay, target, data, frame);
    if (!permission.foreign || relay.socket !== "bound" || this.#policy.isListening(peer)) return "no-such-relay";
    this.#counters.forwarded++;
    this.#counters.bytes += data.length;
    this.#out.put({ type: "forward", relay: relay.id, to: peer, bytes: data });
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
    this.#deliver(now, allocation, from, data, undefined);
  }

  #whyNotFromPeer(now: number, allocation: Allocation, { address }: Endpoint, length: number): PeerDrop | undefined {
    if (allocation.expiresAt <= now || !allocation.permission(now, address)?.foreign) return "no-permission";
    return length > MAX_DATA ? "too-long" : this.#spend(now, allocation, length);
  }

  /** To another client of ours, whose relayed address the peer's is: through no socket, but by the same rules. */
  #handOver(now: number, relay: Relay, { allocation }: Relay, data: Uint8Array, frame: Uint8Array | undefined): TurnDrop | undefined {
    const { account } = relay.allocation;
    if (account.grant.pair !== allocation.account.grant.pair || !allocation.permission(now, relay.relayed.address)) {
      return "not-permitted-there";
    }
    if (allocation.account !== account) {
      const over = this.#spendUser(now, allocation, data.length);
      if (over) return over;
    }
    this.#counters.handedOver++;
    this.#counters.bytes += data.length;
    this.#deliver(now, allocation, relay.relayed, data, frame);
    return undefined;
  }

  #deliver(now: number, allocation: Allocation, from: Endpoint, data: Uint8Array, frame: Uint8Array | undefined): void {
    const { connection, local, remote } = allocation.path;
    const stream = connection !== undefined;
    const channel = allocation.channelTo(now, from);
    const bytes = !channel
      ? this.#indication(from, data)
      : frame && (!stream || frame.length % 4 === 0)
        ? renumbered(frame, channel.number)
        : encodeChannelData(channel.number, data, stream, MAX_CLASSIC_CHANNEL);
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
