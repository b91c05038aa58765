/** The attributes that both our codec and the package `stun` know, with arbitrary values in both spellings. */
import {
  AlternateServer,
  type Attribute,
  ChangeRequest,
  ChannelNumber,
  canonicalAddress,
  Data,
  DontFragment,
  type Endpoint,
  ErrorCode,
  EvenPort,
  IceControlled,
  IceControlling,
  Lifetime,
  MappedAddress,
  Nonce,
  OtherAddress,
  Padding,
  Priority,
  Realm,
  RequestedTransport,
  ReservationToken,
  ResponseOrigin,
  ResponsePort,
  Software,
  UnknownAttributes,
  UseCandidate,
  Username,
  XorMappedAddress,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";
import fc from "fast-check";
import type { PackageAddress } from "./stun-package.js";

/** An attribute that both know: how the package is given a value, and how its value is ours. */
interface Shared {
  readonly attribute: Attribute<unknown>;
  readonly values: fc.Arbitrary<unknown>;
  args(value: never): unknown[];
  fromPackage(value: never): unknown;
}

function shared<T, P>(
  attribute: Attribute<T>,
  values: fc.Arbitrary<T>,
  args: (value: T) => unknown[],
  fromPackage: (value: P) => unknown,
): Shared {
  return { attribute, values, args, fromPackage };
}

const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));
// Shorter than 128 UTF-16 units: the package drops a longer reason phrase without a word.
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
// Port 0 the package refuses to read. Addresses it spells in its own way, so ours is compared.
const endpoints: fc.Arbitrary<Endpoint> = fc.record({
  address: fc.oneof(fc.ipV4(), fc.ipV6()).map(canonicalAddress),
  port: fc.integer({ min: 1, max: 0xffff }),
});

const address = (attribute: Attribute<Endpoint>) =>
  shared(
    attribute,
    endpoints,
    ({ address, port }) => [address, port],
    ({ address, port }: PackageAddress) => ({ address: canonicalAddress(address), port }),
  );
const string = (attribute: Attribute<string>) => shared(attribute, text, (value) => [value], String);
const buffer = (attribute: Attribute<Uint8Array>, values: fc.Arbitrary<Buffer>) =>
  shared(
    attribute,
    values,
    (value) => [value],
    (value: Buffer) => value,
  );
const flag = (attribute: Attribute<true>) =>
  shared(
    attribute,
    fc.constant(true as const),
    () => [Buffer.alloc(0)],
    (value: Buffer) => value.length === 0,
  );
const number = (attribute: Attribute<number>, bits: number, shift = 0) =>
  shared(
    attribute,
    uint(bits),
    (value) => [value * 2 ** shift],
    (value: number) => value / 2 ** shift,
  );
const tiebreaker = (attribute: Attribute<bigint>) => {
  const bigEndian = (value: bigint) => Buffer.from(value.toString(16).padStart(16, "0"), "hex");
  return shared(
    attribute,
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    (value) => [bigEndian(value)],
    (value: Buffer) => value.readBigUInt64BE(),
  );
};

/** What the package reads and writes well. */
export const READ_WELL: readonly Shared[] = [
  ...[MappedAddress, AlternateServer, ResponseOrigin, OtherAddress, XorMappedAddress, XorPeerAddress, XorRelayedAddress].map(address),
  ...[Username, Realm, Nonce, Software].map(string),
  ...[UseCandidate, DontFragment].map(flag),
  ...[IceControlled, IceControlling].map(tiebreaker),
  buffer(Data, bytes(0, 200)),
  buffer(Padding, bytes(0, 200)),
  buffer(ReservationToken, bytes(8)),
  number(Priority, 32),
  number(Lifetime, 32),
  // The package takes the whole 32 bits, the reserved ones with them.
  number(ChannelNumber, 16, 16),
  number(RequestedTransport, 8, 24),
  shared(
    ChangeRequest,
    fc.record({ ip: fc.boolean(), port: fc.boolean() }),
    ({ ip, port }) => [(ip ? 4 : 0) + (port ? 2 : 0)],
    (flags: number) => ({ ip: (flags & 4) !== 0, port: (flags & 2) !== 0 }),
  ),
  shared(
    EvenPort,
    fc.boolean(),
    (reserve) => [Buffer.from([reserve ? 0x80 : 0])],
    (value: Buffer) => value[0] === 0x80,
  ),
  shared(
    UnknownAttributes,
    fc.uniqueArray(uint(16), { minLength: 1, maxLength: 9 }),
    (types) => [types],
    (types: number[]) => types,
  ),
  error(fc.constantFrom(300, 400, 500, 600), fc.string({ unit: "grapheme-ascii", maxLength: 20 })),
];

/** The same, and what it only writes well. */
export const WRITTEN_WELL: readonly Shared[] = [
  ...READ_WELL.slice(0, -1),
  error(fc.integer({ min: 300, max: 699 }), text),
  number(ResponsePort, 16),
];

function error(codes: fc.Arbitrary<number>, reasons: fc.Arbitrary<string>): Shared {
  return shared(
    ErrorCode,
    fc.record({ code: codes, reason: reasons }),
    ({ code, reason }) => [code, reason],
    (value) => value,
  );
}

/** Attributes of distinct types, with values; in a failure only what can be read is shown. */
export function someOf(all: readonly Shared[]) {
  const each = all.map((shared) =>
    shared.values.map((value) => ({
      ...shared,
      value: value as never,
      [fc.toStringMethod]: () => `${shared.attribute.name} ${JSON.stringify(value, bigints)}`,
    })),
  );
  return fc.uniqueArray(fc.oneof(...each), { maxLength: 10, selector: ({ attribute }) => attribute.type });
}

const bigints = (_key: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);
