import { describe, expect, test } from "vitest";
import {
  AddressErrorCode,
  ChangeRequest,
  ErrorCode,
  EvenPort,
  Icmp,
  PasswordAlgorithm,
  PasswordAlgorithms,
  UnknownAttributes,
} from "./attributes.js";
import { read, write } from "./one-attribute.test-support.js";

const badAttribute = expect.objectContaining({ name: "WireError", code: "bad-attribute" });

describe("ERROR-CODE", () => {
  test("hundreds and rest stand apart", () => {
    expect(write(ErrorCode, { code: 438, reason: "Stale Nonce" })).toBe(`00000426${Buffer.from("Stale Nonce").toString("hex")}`);
    expect(read(ErrorCode, "00000426")).toEqual({ code: 438, reason: "" });
    expect(read(ErrorCode, "000003007a")).toEqual({ code: 300, reason: "z" });
    expect(read(ErrorCode, "00000663")).toEqual({ code: 699, reason: "" });
  });

  test("the reserved bits before the code are ignored", () => {
    expect(read(ErrorCode, "fffffc01")).toEqual({ code: 401, reason: "" });
  });

  test.each(["", "000004", "00000263", "00000700", "00000464"])("is not %j", (hex) => {
    expect(read(ErrorCode, hex)).toBe("bad-attribute");
  });

  test("300 to 699, with a reason of at most 509 bytes sent and 763 received", () => {
    for (const code of [0, 299, 700, 400.5, -401]) expect(() => write(ErrorCode, { code, reason: "" })).toThrow(badAttribute);
    expect(() => write(ErrorCode, { code: 400, reason: "x".repeat(510) })).toThrow(badAttribute);
    expect(read(ErrorCode, `00000400${"78".repeat(763)}`)).toEqual({ code: 400, reason: "x".repeat(763) });
    expect(read(ErrorCode, `00000400${"78".repeat(764)}`)).toBe("bad-attribute");
  });

  test("of one address family", () => {
    expect(write(AddressErrorCode, { family: 6, code: 440, reason: "" })).toBe("02000428");
    expect(read(AddressErrorCode, "0100042878")).toEqual({ family: 4, code: 440, reason: "x" });
    for (const hex of ["", "00000428", "03000428", "01000228"]) expect(read(AddressErrorCode, hex)).toBe("bad-attribute");
  });
});

test("UNKNOWN-ATTRIBUTES", () => {
  expect(write(UnknownAttributes, [0x001b, 0x7fff, 1])).toBe("001b7fff0001");
  expect(read(UnknownAttributes, "001b7fff0001")).toEqual([0x001b, 0x7fff, 1]);
  expect(read(UnknownAttributes, "")).toEqual([]);
  expect(read(UnknownAttributes, "001b7f")).toBe("bad-attribute");
  expect(() => write(UnknownAttributes, [0x10000])).toThrow(badAttribute);
});

describe("password algorithms", () => {
  const none = new Uint8Array(0);
  const some = Uint8Array.of(1, 2, 3, 4, 5);

  test("in the order of preference, parameters padded", () => {
    const list = [
      { algorithm: 2, parameters: none },
      { algorithm: 9, parameters: some },
      { algorithm: 1, parameters: none },
    ];
    const hex = "00020000" + "000900050102030405000000" + "00010000";
    expect(write(PasswordAlgorithms, list)).toBe(hex);
    expect(read(PasswordAlgorithms, hex)).toMatchObject([
      { algorithm: 2 },
      { algorithm: 9, parameters: Buffer.from(some) },
      { algorithm: 1 },
    ]);
  });

  test("exactly one is chosen", () => {
    expect(write(PasswordAlgorithm, { algorithm: 2, parameters: none })).toBe("00020000");
    expect(write(PasswordAlgorithm, { algorithm: 9, parameters: some })).toBe("000900050102030405000000");
    expect(read(PasswordAlgorithm, "000900050102030405000000")).toEqual({ algorithm: 9, parameters: Buffer.from(some) });
    for (const hex of ["", "0002", "000200", "0002000000", "0002000000010000", "00020004", "0002ffff"]) {
      expect(read(PasswordAlgorithm, hex), hex).toBe("bad-attribute");
    }
  });

  test("an empty or overrunning list is none", () => {
    for (const hex of ["", "0002", "000200", "0002000001", "00020004", "00020000000100050102030405", "00020000ffffffff"]) {
      expect(read(PasswordAlgorithms, hex), hex).toBe("bad-attribute");
    }
    expect(() => write(PasswordAlgorithms, [])).toThrow(badAttribute);
    expect(() => write(PasswordAlgorithms, [{ algorithm: 0x10000, parameters: none }])).toThrow(badAttribute);
    expect(() => write(PasswordAlgorithm, { algorithm: -1, parameters: none })).toThrow(badAttribute);
  });
});

test("EVEN-PORT is one bit", () => {
  expect(write(EvenPort, true)).toBe("80");
  expect(write(EvenPort, false)).toBe("00");
  expect(read(EvenPort, "ff")).toBe(true);
  expect(read(EvenPort, "7f")).toBe(false);
  expect(read(EvenPort, "")).toBe("bad-attribute");
});

test("CHANGE-REQUEST is two", () => {
  expect(write(ChangeRequest, { ip: true, port: false })).toBe("00000004");
  expect(write(ChangeRequest, { ip: false, port: true })).toBe("00000002");
  expect(read(ChangeRequest, "fffffff9")).toEqual({ ip: false, port: false });
  expect(read(ChangeRequest, "00000006")).toEqual({ ip: true, port: true });
  expect(read(ChangeRequest, "06")).toBe("bad-attribute");
});

test("ICMP: 7 bits of type, 9 of code", () => {
  expect(write(Icmp, { type: 3, code: 4, data: 1500 })).toBe("00000604000005dc");
  expect(read(Icmp, "ffffffff00000000")).toEqual({ type: 127, code: 511, data: 0 });
  expect(read(Icmp, "00000604")).toBe("bad-attribute");
  for (const wrong of [{ type: 128 }, { type: -1 }, { code: 512 }, { data: 2 ** 32 }]) {
    expect(() => write(Icmp, { type: 0, code: 0, data: 0, ...wrong })).toThrow(badAttribute);
  }
});
