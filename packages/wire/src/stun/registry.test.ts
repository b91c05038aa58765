import { describe, expect, test } from "vitest";
import { classOf, ErrorReason, encodeMessageType, MAGIC_COOKIE, Method, methodOf, type StunClass } from "./registry.js";

test("STUN Methods, as IANA has them on 2024-12-20", () => {
  // Not here: 0x002, SharedSecret, which RFC 5389 removed with RFC 3489's credentials; 0x080, GOOG-PING, which is libwebrtc's own.
  expect(Method).toEqual({
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
  });
});

test("STUN Error Codes, all that IANA has on 2024-12-20, with their reason phrases", () => {
  expect(ErrorReason).toEqual({
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
  });
});

describe("message type", () => {
  // RFC 8489 section 5 for Binding, RFC 8656 section 17 for the rest
  test.each<[number, StunClass, number]>([
    [Method.Binding, "request", 0x0001],
    [Method.Binding, "indication", 0x0011],
    [Method.Binding, "success", 0x0101],
    [Method.Binding, "error", 0x0111],
    [Method.Allocate, "request", 0x0003],
    [Method.Allocate, "error", 0x0113],
    [Method.Send, "indication", 0x0016],
    [Method.Data, "indication", 0x0017],
    [Method.ChannelBind, "success", 0x0109],
    [0xfff, "error", 0x3fff],
    [0xfff, "request", 0x3eef],
  ])("method %i, %s", (method, messageClass, type) => {
    expect(encodeMessageType(method, messageClass)).toBe(type);
  });

  test("every method and class, both ways, within 14 bits", () => {
    const types = new Set<number>();
    for (let method = 0; method <= 0xfff; method++) {
      for (const messageClass of ["request", "indication", "success", "error"] as const) {
        const type = encodeMessageType(method, messageClass);
        if (methodOf(type) !== method || classOf(type) !== messageClass || type > 0x3fff) expect.fail(`${method} ${messageClass}`);
        types.add(type);
      }
    }
    expect(types.size).toBe(0x4000);
  });
});

test("the cookie", () => {
  expect(MAGIC_COOKIE).toBe(0x2112a442);
});
