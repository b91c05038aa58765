import {
  addressFamily,
  ChannelNumber,
  type Endpoint,
  Lifetime,
  MAX_CLASSIC_CHANNEL,
  MIN_CHANNEL,
  RequestedAddressFamily,
  type StunMessage,
  XorPeerAddress,
} from "@awl/wire";
import type { AddressPolicy, PeerVerdict } from "./address-policy.js";
import { desiredLifetime } from "./allocate.js";
import type { Allocation, Relay } from "./allocation.js";
import type { Allocations } from "./allocations.js";
import { type Answer, error, success } from "./answer.js";
import type { TurnLimits } from "./limits.js";

/** RFC 8656 section 9. */
const PERMISSION_MS = 300_000;
/** RFC 8656 section 12. */
const CHANNEL_MS = 600_000;

/** What clients do with an allocation that they have: all of it asks the address policy first. */
export class Permits {
  readonly #allocations: Allocations;
  readonly #policy: AddressPolicy;
  readonly #limits: TurnLimits;

  constructor(allocations: Allocations, policy: AddressPolicy, limits: TurnLimits) {
    this.#allocations = allocations;
    this.#policy = policy;
    this.#limits = limits;
  }

  /** RFC 8656 section 8.2. */
  refresh(now: number, request: StunMessage, allocation: Allocation): Answer {
    const family = request.get(RequestedAddressFamily);
    const relay = family === undefined ? undefined : allocation.relayOf(family);
    if (family !== undefined && !relay) return error(443);
    const seconds = desiredLifetime(request);
    if (seconds > 0) {
      if (allocation.account.bytesLeft <= 0) return error(486);
      allocation.expiresAt = now + seconds * 1000;
    } else if (relay && allocation.relays.length > 1) this.#allocations.endRelay(relay);
    else this.#allocations.end(allocation);
    return success([Lifetime.of(seconds)]);
  }

  /** RFC 8656 section 10.2: all of the addresses, or none. */
  createPermission(now: number, request: StunMessage, allocation: Allocation): Answer {
    const peers = request.all(XorPeerAddress);
    if (peers.length === 0) return error(400);
    return this.#whyNot(allocation, peers) ?? this.#permit(now, allocation, peers);
  }

  /** RFC 8656 section 12.2. */
  bindChannel(now: number, request: StunMessage, allocation: Allocation): Answer {
    const number = request.get(ChannelNumber);
    const peer = request.get(XorPeerAddress);
    if (number === undefined || peer === undefined || number < MIN_CHANNEL || number > MAX_CLASSIC_CHANNEL || peer.port === 0)
      return error(400);
    const byNumber = allocation.channel(now, number);
    const byPeer = allocation.channelTo(now, peer);
    if (byNumber !== byPeer) return error(400);
    const relay = allocation.relayOf(addressFamily(peer.address));
    if (!relay) return error(443);
    if (this.#policy.isListening(peer)) return error(403);
    const refused = this.#whyNot(allocation, [peer]);
    if (refused) return refused;

    this.#forgetExpired(allocation, number, peer);
    if (!byNumber && !this.#hasRoomForChannel(allocation)) return error(508);
    const permitted = this.#permit(now, allocation, [peer]);
    if (permitted.kind === "success") this.#allocations.bindChannel(relay, number, peer, now + CHANNEL_MS);
    return permitted;
  }

  /** Why these addresses get no permission; or that they have to wait. */
  #whyNot(allocation: Allocation, peers: readonly Endpoint[]): Answer | undefined {
    let waiting: Relay | undefined;
    let failed = false;
    for (const { address } of peers) {
      const relay = allocation.relayOf(addressFamily(address));
      if (!relay) return error(443);
      const verdict = this.#judge(allocation, address);
      if (verdict === "denied") return error(403);
      if (verdict === "relayed" || relay.socket === "bound") continue;
      if (relay.socket === "failed") failed = true;
      else waiting = relay;
    }
    if (failed) return error(508);
    return waiting && { kind: "later", relay: waiting };
  }

  /** Of those whom it could reach, a pair's credential reaches its own allocations and the addresses in it. */
  #judge({ account }: Allocation, address: string): PeerVerdict {
    const verdict = this.#policy.judge(address);
    const { peers } = account.grant;
    if (verdict !== "foreign" || !peers || peers.has(address)) return verdict;
    return this.#policy.hasRelays(address) ? "relayed" : "denied";
  }

  #permit(now: number, allocation: Allocation, peers: readonly Endpoint[]): Answer {
    const added = new Set(peers.map(({ address }) => address).filter((address) => !allocation.permissions.has(address))).size;
    const { permissionsPerAllocation, permissions } = this.#limits;
    const full = allocation.permissions.size + added > permissionsPerAllocation || this.#allocations.size.permissions + added > permissions;
    if (added > 0 && full) return error(508);
    for (const { address } of peers) {
      this.#allocations.permit(allocation, address, this.#judge(allocation, address) === "foreign", now + PERMISSION_MS);
    }
    return success();
  }

  #hasRoomForChannel({ channels }: Allocation): boolean {
    return channels.size < this.#limits.channelsPerAllocation && this.#allocations.size.channels < this.#limits.channels;
  }

  /** A number or a peer whose channel is over may be bound anew, and the next sweep may be some time off. */
  #forgetExpired(allocation: Allocation, number: number, peer: Endpoint): void {
    const byPeer = allocation.channelsByPeer.get(peer);
    if (byPeer?.number === number) return;
    this.#allocations.unbindChannel(allocation, number);
    if (byPeer) this.#allocations.unbindChannel(allocation, byPeer.number);
  }
}
