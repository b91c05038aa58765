export { type AddressFamily, addressFamily, canonicalAddress, formatAddress, parseAddress } from "./endpoint/address.js";
export { type AddressClass, classifyAddress, type EmbeddedForm, embeddedIPv4 } from "./endpoint/address-class.js";
export { type Cidr, cidrContains, parseCidr } from "./endpoint/cidr.js";
export {
  compareEndpoints,
  type Endpoint,
  endpoint,
  endpointFamily,
  formatEndpoint,
  isPort,
  parseEndpoint,
  sameEndpoint,
  splitHostPort,
} from "./endpoint/endpoint.js";
export { WireError, type WireErrorCode } from "./errors.js";
export { MAX_SIGNAL_DATA, SIGNAL_ERRORS, SIGNAL_VERSION, type SignalErrorCode, type UnlinkReason } from "./signal/codes.js";
export { decodeSignalFrame, encodeSignalFrame, SIGNAL_FRAME_HEADER, type SignalFrame, type SignalFrameFault } from "./signal/frame.js";
export {
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  type SignalClientMessage,
  type SignalFault,
  type SignalRelay,
  type SignalServerMessage,
} from "./signal/message.js";
export { CHALLENGE_LENGTH, provenRoom, registrationPayload } from "./signal/registration.js";
export { isRoom, roomOf } from "./signal/room.js";
export type { Attribute, AttributeValue } from "./stun/attribute.js";
export * from "./stun/attributes.js";
export { encodeMessage, type MessageFields } from "./stun/encode.js";
export { type IntegrityAlgorithm, longTermKey, shortTermKey, verifyIntegrity } from "./stun/integrity.js";
export { decodeMessage, type StunFault, StunMessage } from "./stun/message.js";
export { ErrorReason, MAGIC_COOKIE, Method, type StunClass, type StunErrorCode } from "./stun/registry.js";
export type { AddressError, ChangeFlags, IcmpReport, PasswordAlgorithmChoice, StunError } from "./stun/structures.js";
export {
  type ChannelData,
  type ChannelDataFault,
  decodeChannelData,
  encodeChannelData,
  MAX_CHANNEL,
  MAX_CLASSIC_CHANNEL,
  MIN_CHANNEL,
} from "./turn/channel-data.js";
export { type StreamFault, StreamFramer } from "./turn/stream-framer.js";
export { parseUrl } from "./url.js";
