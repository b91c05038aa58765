import fc from "fast-check";
import { type Endpoint, endpoint } from "../endpoint/endpoint.js";
import type { Attribute, AttributeValue } from "./attribute.js";
import * as known from "./attributes.js";
import type { MessageFields } from "./encode.js";
import type { IntegrityAlgorithm } from "./integrity.js";
import type { StunError } from "./structures.js";

const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const text = (maxBytes: number) => fc.string({ unit: "binary", maxLength: maxBytes / 4 });
const family = fc.constantFrom(4 as const, 6 as const);
const flag = fc.constant(true as const);

export const endpoints: fc.Arbitrary<Endpoint> = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6(), bytes(16).map(spelled)), uint(16))
  .map(([address, port]) => endpoint(address, port));

const error: fc.Arbitrary<StunError> = fc.record({ code: fc.integer({ min: 300, max: 699 }), reason: text(509) });
const choice = fc.record({ algorithm: uint(16), parameters: bytes(0, 9) });

const of = <T>(attribute: Attribute<T>, value: fc.Arbitrary<T>) => value.map((each) => attribute.of(each));

/** Values of every attribute but the three that a message gets from its other fields. */
const ATTRIBUTE_VALUES = [
  of(known.MappedAddress, endpoints),
  of(known.Username, text(508)),
  of(known.ErrorCode, error),
  of(known.UnknownAttributes, fc.array(uint(16), { maxLength: 20 })),
  of(known.Realm, text(509)),
  of(known.Nonce, text(509)),
  of(known.PasswordAlgorithm, choice),
  of(known.Userhash, bytes(32)),
  of(known.XorMappedAddress, endpoints),
  of(known.PasswordAlgorithms, fc.array(choice, { minLength: 1, maxLength: 4 })),
  of(known.AlternateDomain, text(255)),
  of(known.Software, text(509)),
  of(known.AlternateServer, endpoints),
  of(known.ChannelNumber, uint(16)),
  of(known.Lifetime, uint(32)),
  of(known.XorPeerAddress, endpoints),
  of(known.Data, bytes(0, 1200)),
  of(known.XorRelayedAddress, endpoints),
  of(known.RequestedAddressFamily, family),
  of(known.EvenPort, fc.boolean()),
  of(known.RequestedTransport, uint(8)),
  of(known.DontFragment, flag),
  of(known.ReservationToken, bytes(8)),
  of(known.AdditionalAddressFamily, family),
  of(
    known.AddressErrorCode,
    fc.tuple(error, family).map(([error, family]) => ({ ...error, family })),
  ),
  of(known.Icmp, fc.record({ type: uint(7), code: uint(9), data: uint(32) })),
  of(known.Priority, uint(32)),
  of(known.UseCandidate, flag),
  of(known.IceControlled, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  of(known.IceControlling, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  of(known.ChangeRequest, fc.record({ ip: fc.boolean(), port: fc.boolean() })),
  of(known.Padding, bytes(0, 1200)),
  of(known.ResponsePort, uint(16)),
  of(known.CacheTimeout, uint(32)),
  of(known.ResponseOrigin, endpoints),
  of(known.OtherAddress, endpoints),
  of(known.SourceAddress, endpoints),
  of(known.ChangedAddress, endpoints),
];

export const FROM_FIELDS: readonly Attribute<unknown>[] = [known.MessageIntegrity, known.MessageIntegritySha256, known.Fingerprint];

export const ATTRIBUTES_WITH_VALUES = ATTRIBUTE_VALUES.length;

export const attributeValues: fc.Arbitrary<AttributeValue> = fc.oneof(...ATTRIBUTE_VALUES);

export const messages: fc.Arbitrary<Required<MessageFields>> = fc.record({
  method: uint(12),
  class: fc.constantFrom("request", "indication", "success", "error"),
  transactionId: fc.oneof({ weight: 4, arbitrary: bytes(12) }, { weight: 1, arbitrary: bytes(16).filter((id) => id[0] !== 0x21) }),
  attributes: fc.array(attributeValues, { maxLength: 12 }),
  integrity: fc.uniqueArray(fc.record({ algorithm: fc.constantFrom<IntegrityAlgorithm>("sha1", "sha256"), key: bytes(0, 80) }), {
    maxLength: 2,
    selector: ({ algorithm }) => algorithm,
  }),
  fingerprint: fc.boolean(),
});

function spelled(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("hex")
    .replace(/(....)(?=.)/g, "$1:");
}
