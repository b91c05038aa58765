import {
  AdditionalAddressFamily,
  type AttributeValue,
  ChannelNumber,
  Data,
  DontFragment,
  type Endpoint,
  EvenPort,
  encodeChannelData,
  encodeMessage,
  Lifetime,
  longTermKey,
  Method,
  Nonce,
  PasswordAlgorithm,
  PasswordAlgorithms,
  Realm,
  RequestedAddressFamily,
  RequestedTransport,
  ReservationToken,
  Software,
  Userhash,
  Username,
  XorPeerAddress,
} from "@awl/wire";
import type { Credential } from "./world.test-support.js";

export type Random = (below: number) => number;

/** Marsaglia's xorshift32: the same attack in every run. */
export function xorshift(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export function noise(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

/** A message that a client could send who holds this credential; half of them changed, cut off or lengthened. */
export function hostileMessage(random: Random, credential: Credential, peers: readonly Endpoint[]): Buffer {
  if (random(20) === 0) return noise(random, random(1500));
  const bytes = message(random, credential, peers);
  switch (random(8)) {
    case 0:
      return bytes.subarray(0, random(bytes.length + 1));
    case 1:
      return Buffer.concat([bytes, noise(random, random(64))]);
    case 2:
    case 3:
      for (let edits = 1 + random(4); edits > 0 && bytes.length > 0; edits--) bytes[random(bytes.length)] = random(256);
      return bytes;
    default:
      return bytes;
  }
}

function message(random: Random, credential: Credential, peers: readonly Endpoint[]): Buffer {
  const peer = peers[random(peers.length)] ?? { address: "9.9.9.9", port: 1 };
  const transactionId = noise(random, 12);
  if (random(3) === 0) return encodeChannelData(0x4000 + random(8), noise(random, random(200)), true, 0x7fff);
  if (random(3) === 0) {
    const attributes = [XorPeerAddress.of(peer), Data.of(noise(random, random(1400))), ...someAttributes(random, peer, random(2))];
    return encodeMessage({ method: Method.Send, class: "indication", transactionId, attributes });
  }
  const { username, realm, password, nonce } = credential;
  const signed = random(8) > 0;
  const method = METHODS[random(METHODS.length)] ?? 0;
  const sensible = random(4) === 0 ? [] : [RequestedTransport.of(17), XorPeerAddress.of(peer), ChannelNumber.of(0x4000 + random(8))];
  return encodeMessage({
    method,
    class: random(16) === 0 ? "success" : "request",
    transactionId,
    attributes: [...sensible, ...someAttributes(random, peer, random(4)), Username.of(username), Realm.of(realm), Nonce.of(nonce)],
    integrity: signed ? [{ algorithm: random(2) ? "sha1" : "sha256", key: longTermKey(username, realm, password) }] : [],
    fingerprint: random(2) === 0,
  });
}

const METHODS = [
  Method.Allocate,
  Method.Allocate,
  Method.Refresh,
  Method.CreatePermission,
  Method.CreatePermission,
  Method.ChannelBind,
  Method.ChannelBind,
  Method.Connect,
  Method.Data,
  0x0fff,
];

function someAttributes(random: Random, peer: Endpoint, count: number): AttributeValue[] {
  return Array.from({ length: count }, () => {
    switch (random(14)) {
      case 0:
        return Lifetime.of(random(4) === 0 ? 0 : random(5000));
      case 1:
        return EvenPort.of(random(2) === 0);
      case 2:
        return RequestedAddressFamily.of(random(2) ? 4 : 6);
      case 3:
        return AdditionalAddressFamily.of(random(2) ? 4 : 6);
      case 4:
        return ReservationToken.of(noise(random, 8));
      case 5:
        return ChannelNumber.of(random(4) === 0 ? random(0x10000) : 0x4000 + random(8));
      case 6:
        return DontFragment.of(true);
      case 7:
        return Software.of("x".repeat(random(100)));
      case 8:
        return Userhash.of(noise(random, 32));
      case 9:
        return PasswordAlgorithm.of({ algorithm: random(4), parameters: noise(random, random(8)) });
      case 10:
        return PasswordAlgorithms.of([{ algorithm: random(4), parameters: noise(random, random(8)) }]);
      case 11:
        return RequestedTransport.of(random(2) ? 17 : random(256));
      default:
        return random(2) ? XorPeerAddress.of(peer) : RequestedTransport.of(17);
    }
  });
}
