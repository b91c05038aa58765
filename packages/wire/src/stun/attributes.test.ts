import { expect, test } from "vitest";
import type { Attribute } from "./attribute.js";
import * as attributes from "./attributes.js";
import { decodeMessage, StunMessage } from "./message.js";

type Row = readonly [type: number, name: string, unknownBecause?: string];

/**
 * The IANA registry "STUN Attributes" as of 2024-12-20, with the names that reserved types had before RFC 5389 reserved them.
 * Every one is known under its type and name, or stands here with the reason why not.
 */
const REGISTRY: readonly Row[] = [
  [0x0001, "MAPPED-ADDRESS"],
  [0x0002, "RESPONSE-ADDRESS", "sends the answer to any address that the request names: a reflector, reserved since RFC 5389"],
  [0x0003, "CHANGE-REQUEST"],
  [0x0004, "SOURCE-ADDRESS"],
  [0x0005, "CHANGED-ADDRESS"],
  [0x0006, "USERNAME"],
  [0x0007, "PASSWORD", "of RFC 3489's SharedSecret method, which RFC 5389 removed"],
  [0x0008, "MESSAGE-INTEGRITY"],
  [0x0009, "ERROR-CODE"],
  [0x000a, "UNKNOWN-ATTRIBUTES"],
  [0x000b, "REFLECTED-FROM", "the answer to RESPONSE-ADDRESS"],
  [0x000c, "CHANNEL-NUMBER"],
  [0x000d, "LIFETIME"],
  [0x0010, "BANDWIDTH", "of TURN's drafts, reserved by RFC 8656"],
  [0x0012, "XOR-PEER-ADDRESS"],
  [0x0013, "DATA"],
  [0x0014, "REALM"],
  [0x0015, "NONCE"],
  [0x0016, "XOR-RELAYED-ADDRESS"],
  [0x0017, "REQUESTED-ADDRESS-FAMILY"],
  [0x0018, "EVEN-PORT"],
  [0x0019, "REQUESTED-TRANSPORT"],
  [0x001a, "DONT-FRAGMENT"],
  [0x001b, "ACCESS-TOKEN", "RFC 7635: OAuth between client and relay; Awl's relays take shared-secret credentials"],
  [0x001c, "MESSAGE-INTEGRITY-SHA256"],
  [0x001d, "PASSWORD-ALGORITHM"],
  [0x001e, "USERHASH"],
  [0x0020, "XOR-MAPPED-ADDRESS"],
  [0x0021, "TIMER-VAL", "of TURN's drafts, reserved by RFC 8656"],
  [0x0022, "RESERVATION-TOKEN"],
  [0x0024, "PRIORITY"],
  [0x0025, "USE-CANDIDATE"],
  [0x0026, "PADDING"],
  [0x0027, "RESPONSE-PORT"],
  [0x002a, "CONNECTION-ID", "RFC 6062: TCP behind the relay; Awl relays datagrams only"],
  [0x8000, "ADDITIONAL-ADDRESS-FAMILY"],
  [0x8001, "ADDRESS-ERROR-CODE"],
  [0x8002, "PASSWORD-ALGORITHMS"],
  [0x8003, "ALTERNATE-DOMAIN"],
  [0x8004, "ICMP"],
  [0x8022, "SOFTWARE"],
  [0x8023, "ALTERNATE-SERVER"],
  [
    0x8025,
    "TRANSACTION_TRANSMIT_COUNTER",
    "RFC 7982: tells which of several sent copies was answered; a transaction of ours knows by its times",
  ],
  [0x8027, "CACHE-TIMEOUT"],
  [0x8028, "FINGERPRINT"],
  [0x8029, "ICE-CONTROLLED"],
  [0x802a, "ICE-CONTROLLING"],
  [0x802b, "RESPONSE-ORIGIN"],
  [0x802c, "OTHER-ADDRESS"],
  [0x802d, "ECN-CHECK STUN", "RFC 6679: congestion marks of RTP"],
  [0x802e, "THIRD-PARTY-AUTHORIZATION", "RFC 7635, as ACCESS-TOKEN"],
  [0x8030, "MOBILITY-TICKET", "RFC 8016: moves an allocation; Awl makes a new one and moves the session"],
  [0xc000, "CISCO-STUN-FLOWDATA", "one vendor's"],
  [0xc001, "ENF-FLOW-DESCRIPTION", "one vendor's"],
  [0xc002, "ENF-NETWORK-STATUS", "one vendor's"],
  [0xc003, "CISCO-WEBEX-FLOW-INFO", "one vendor's"],
  [0xc056, "CITRIX-TRANSACTION-ID", "one vendor's"],
  [0xc057, "GOOG-NETWORK-INFO", "libwebrtc's own, sent with every check; browsers are no peers of Awl"],
  [0xc058, "GOOG-LAST-ICE-CHECK-RECEIVED", "libwebrtc's own"],
  [0xc059, "GOOG-MISC-INFO", "libwebrtc's own"],
  [0xc05a, "GOOG-OBSOLETE-1", "libwebrtc's own"],
  [0xc05b, "GOOG-CONNECTION-ID", "libwebrtc's own"],
  [0xc05c, "GOOG-DELTA", "libwebrtc's own"],
  [0xc05d, "GOOG-DELTA-ACK", "libwebrtc's own"],
  [0xc05e, "GOOG-DELTA-SYNC-REQ", "libwebrtc's own"],
  [0xc060, "GOOG-MESSAGE-INTEGRITY-32", "four bytes of HMAC: too few to trust"],
  [0xc070, "META-DTLS-IN-STUN", "a DTLS handshake inside checks; Awl's runs over signalling"],
  [0xc071, "META-DTLS-IN-STUN-ACKNOWLEDGEMENT", "as META-DTLS-IN-STUN"],
];

test("the attributes that Awl knows are the registered ones, under their types and names, except those with a reason", () => {
  const known = attributes.ATTRIBUTES.map(({ type, name }): Row => [type, name]).sort(([a], [b]) => a - b);
  expect(known).toEqual(REGISTRY.filter(([, , reason]) => reason === undefined));
});

test("the registry's table here is in order, each type once", () => {
  const types = REGISTRY.map(([type]) => type);
  expect(types).toEqual([...new Set(types)].sort((a, b) => a - b));
});

test("every attribute that is exported is one that the decoder knows", () => {
  const exported = Object.values(attributes).filter((value): value is Attribute<never> => !Array.isArray(value));
  expect(new Set<unknown>(attributes.ATTRIBUTES)).toEqual(new Set<unknown>(exported));
});

test.each(REGISTRY.flatMap(([type, name, reason]) => (reason ? [{ type, name, reason }] : [])))(
  "$name is met as unknown: $reason",
  ({ type }) => {
    const message = Buffer.from("000100042112a4420102030405060708090a0b0c00000000", "hex");
    message.writeUInt16BE(type, 20);
    const decoded = decodeMessage(message);
    expect(decoded instanceof StunMessage && decoded.unknownRequired).toEqual(type < 0x8000 ? [type] : []);
  },
);
