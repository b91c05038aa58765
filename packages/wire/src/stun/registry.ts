/**
 * Code points of the IANA registry "Session Traversal Utilities for NAT (STUN) Parameters".
 * Attribute types stand with their codecs in attributes.ts.
 */

/** STUN methods. RFC 8489 section 18.2, RFC 8656 section 17, RFC 6062 section 6.1. */
export const Method = {
  Binding: 0x001,
  Allocate: 0x003,
  Refresh: 0x004,
  Send: 0x006,
  Data: 0x007,
  CreatePermission: 0x008,
  ChannelBind: 0x009,
  Connect: 0x00a,
  ConnectionBind: 0x00b,
  ConnectionAttempt: 0x00c,
} as const;

/** STUN message classes. RFC 8489 section 5. */
export type StunClass = "request" | "indication" | "success" | "error";

/** STUN error codes with their recommended reason phrases. RFC 8489 section 14.8, RFC 8445, RFC 8656, RFC 8016, RFC 7635. */
export const ErrorReason = {
  300: "Try Alternate",
  400: "Bad Request",
  401: "Unauthenticated",
  403: "Forbidden",
  405: "Mobility Forbidden",
  420: "Unknown Attribute",
  437: "Allocation Mismatch",
  438: "Stale Nonce",
  440: "Address Family not Supported",
  441: "Wrong Credentials",
  442: "Unsupported Transport Protocol",
  443: "Peer Address Family Mismatch",
  446: "Connection Already Exists",
  447: "Connection Timeout or Failure",
  486: "Allocation Quota Reached",
  487: "Role Conflict",
  500: "Server Error",
  508: "Insufficient Capacity",
} as const;

export type StunErrorCode = keyof typeof ErrorReason;

/** RFC 8489 section 5: type, length, cookie, transaction id. */
export const HEADER_LENGTH = 20;

/** RFC 8489 section 5: fixed, and what tells STUN from its predecessor and from other protocols. */
export const MAGIC_COOKIE = 0x2112a442;

const CLASSES: readonly StunClass[] = ["request", "indication", "success", "error"];

/** The 14-bit message type: the class bits C1 and C0 stand inside the method bits. RFC 8489 section 5, figure 3. */
export function encodeMessageType(method: number, messageClass: StunClass): number {
  const c = CLASSES.indexOf(messageClass);
  return (method & 0x00f) | ((c & 1) << 4) | ((method & 0x070) << 1) | ((c & 2) << 7) | ((method & 0xf80) << 2);
}

export function methodOf(messageType: number): number {
  return (messageType & 0x00f) | ((messageType & 0x0e0) >> 1) | ((messageType & 0x3e00) >> 2);
}

export function classOf(messageType: number): StunClass {
  return CLASSES[((messageType & 0x10) >> 4) | ((messageType & 0x100) >> 7)] as StunClass;
}
