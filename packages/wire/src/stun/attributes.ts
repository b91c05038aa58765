import { type Attribute, attribute } from "./attribute.js";
import {
  addressErrorCode,
  changeRequest,
  errorCode,
  icmp,
  passwordAlgorithm,
  passwordAlgorithms,
  reserveBit,
  uint16List,
} from "./structures.js";
import {
  bytes,
  family,
  flag,
  plainAddress,
  RECEIVED_TEXT_LIMIT,
  responsePort,
  TEXT_LIMIT,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
  xorAddress,
} from "./values.js";

/** USERNAME is shorter than 509 bytes. RFC 8489 section 14.3. */
const USERNAME_LIMIT = 508;
/** A DNS name. RFC 8489 section 14.16. */
const DOMAIN_LIMIT = 255;

const phrase = text(TEXT_LIMIT, RECEIVED_TEXT_LIMIT);

// RFC 8489: STUN
export const MappedAddress = attribute(0x0001, "MAPPED-ADDRESS", plainAddress);
export const Username = attribute(0x0006, "USERNAME", text(USERNAME_LIMIT, RECEIVED_TEXT_LIMIT));
/** Written by `encodeMessage`, checked by `verifyIntegrity`: here for `has` and for the registry. */
export const MessageIntegrity = attribute(0x0008, "MESSAGE-INTEGRITY", bytes(20, 20));
export const ErrorCode = attribute(0x0009, "ERROR-CODE", errorCode);
export const UnknownAttributes = attribute(0x000a, "UNKNOWN-ATTRIBUTES", uint16List);
export const Realm = attribute(0x0014, "REALM", phrase);
export const Nonce = attribute(0x0015, "NONCE", phrase);
/** May be truncated to no less than 16 bytes, in steps of 4. RFC 8489 section 14.6. */
export const MessageIntegritySha256 = attribute(0x001c, "MESSAGE-INTEGRITY-SHA256", bytes(16, 32, 4));
export const PasswordAlgorithm = attribute(0x001d, "PASSWORD-ALGORITHM", passwordAlgorithm);
export const Userhash = attribute(0x001e, "USERHASH", bytes(32, 32));
export const XorMappedAddress = attribute(0x0020, "XOR-MAPPED-ADDRESS", xorAddress);
export const PasswordAlgorithms = attribute(0x8002, "PASSWORD-ALGORITHMS", passwordAlgorithms);
export const AlternateDomain = attribute(0x8003, "ALTERNATE-DOMAIN", text(DOMAIN_LIMIT, DOMAIN_LIMIT));
export const Software = attribute(0x8022, "SOFTWARE", phrase);
export const AlternateServer = attribute(0x8023, "ALTERNATE-SERVER", plainAddress);
/** Checked by `decodeMessage`: a message that carries a wrong one is not STUN. */
export const Fingerprint = attribute(0x8028, "FINGERPRINT", uint32);

// RFC 8656: TURN
export const ChannelNumber = attribute(0x000c, "CHANNEL-NUMBER", uint16);
/** Seconds. */
export const Lifetime = attribute(0x000d, "LIFETIME", uint32);
export const XorPeerAddress = attribute(0x0012, "XOR-PEER-ADDRESS", xorAddress);
export const Data = attribute(0x0013, "DATA", bytes());
export const XorRelayedAddress = attribute(0x0016, "XOR-RELAYED-ADDRESS", xorAddress);
export const RequestedAddressFamily = attribute(0x0017, "REQUESTED-ADDRESS-FAMILY", family);
/** `true`: reserve the next higher port as well. */
export const EvenPort = attribute(0x0018, "EVEN-PORT", reserveBit);
/** An IP protocol number: 17 is UDP. */
export const RequestedTransport = attribute(0x0019, "REQUESTED-TRANSPORT", uint8);
export const DontFragment = attribute(0x001a, "DONT-FRAGMENT", flag);
export const ReservationToken = attribute(0x0022, "RESERVATION-TOKEN", bytes(8, 8));
export const AdditionalAddressFamily = attribute(0x8000, "ADDITIONAL-ADDRESS-FAMILY", family);
export const AddressErrorCode = attribute(0x8001, "ADDRESS-ERROR-CODE", addressErrorCode);
export const Icmp = attribute(0x8004, "ICMP", icmp);

// RFC 8445: ICE
export const Priority = attribute(0x0024, "PRIORITY", uint32);
export const UseCandidate = attribute(0x0025, "USE-CANDIDATE", flag);
export const IceControlled = attribute(0x8029, "ICE-CONTROLLED", uint64);
export const IceControlling = attribute(0x802a, "ICE-CONTROLLING", uint64);

// RFC 5780: NAT behaviour discovery
export const ChangeRequest = attribute(0x0003, "CHANGE-REQUEST", changeRequest);
export const Padding = attribute(0x0026, "PADDING", bytes());
export const ResponsePort = attribute(0x0027, "RESPONSE-PORT", responsePort);
/** Seconds. */
export const CacheTimeout = attribute(0x8027, "CACHE-TIMEOUT", uint32);
export const ResponseOrigin = attribute(0x802b, "RESPONSE-ORIGIN", plainAddress);
export const OtherAddress = attribute(0x802c, "OTHER-ADDRESS", plainAddress);

// RFC 3489: classic STUN, as its servers still answer
export const SourceAddress = attribute(0x0004, "SOURCE-ADDRESS", plainAddress);
/** What RFC 5780 renamed to OTHER-ADDRESS. */
export const ChangedAddress = attribute(0x0005, "CHANGED-ADDRESS", plainAddress);

/** Every attribute that this codec understands. */
export const ATTRIBUTES: readonly Attribute<unknown>[] = [
  MappedAddress,
  Username,
  MessageIntegrity,
  ErrorCode,
  UnknownAttributes,
  Realm,
  Nonce,
  MessageIntegritySha256,
  PasswordAlgorithm,
  Userhash,
  XorMappedAddress,
  PasswordAlgorithms,
  AlternateDomain,
  Software,
  AlternateServer,
  Fingerprint,
  ChannelNumber,
  Lifetime,
  XorPeerAddress,
  Data,
  XorRelayedAddress,
  RequestedAddressFamily,
  EvenPort,
  RequestedTransport,
  DontFragment,
  ReservationToken,
  AdditionalAddressFamily,
  AddressErrorCode,
  Icmp,
  Priority,
  UseCandidate,
  IceControlled,
  IceControlling,
  ChangeRequest,
  Padding,
  ResponsePort,
  CacheTimeout,
  ResponseOrigin,
  OtherAddress,
  SourceAddress,
  ChangedAddress,
];
