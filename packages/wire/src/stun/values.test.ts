import { describe, expect, test } from "vitest";
import {
  AlternateDomain,
  Data,
  DontFragment,
  IceControlling,
  Lifetime,
  MappedAddress,
  MessageIntegritySha256,
  Priority,
  Realm,
  RequestedAddressFamily,
  RequestedTransport,
  ReservationToken,
  ResponsePort,
  Software,
  Userhash,
  Username,
  XorMappedAddress,
} from "./attributes.js";
import { read, write } from "./one-attribute.test-support.js";

const badAttribute = expect.objectContaining({ name: "WireError", code: "bad-attribute" });

describe("addresses", () => {
  test.each([
    { attribute: MappedAddress, address: "192.0.2.1", hex: "00018055c0000201" },
    { attribute: MappedAddress, address: "2001:db8::1", hex: "0002805520010db8000000000000000000000001" },
    { attribute: XorMappedAddress, address: "192.0.2.1", hex: "0001a147e112a643" },
    // The transaction id is 01 02 … 0c.
    { attribute: XorMappedAddress, address: "2001:db8::1", hex: "0002a1470113a9fa0102030405060708090a0b0d" },
  ])("$attribute.name of $address", ({ attribute, address, hex }) => {
    expect(write(attribute, { address, port: 32853 })).toBe(hex);
    expect(read(attribute, hex)).toEqual({ address, port: 32853 });
  });

  test("an IPv4-mapped address is read as the IPv4 address that it is", () => {
    expect(read(MappedAddress, "0002000700000000000000000000ffff7f000001")).toEqual({ address: "127.0.0.1", port: 7 });
    expect(read(XorMappedAddress, "000221152112a442010203040506f8f7760a0b0d")).toEqual({ address: "127.0.0.1", port: 7 });
  });

  test("the first byte is reserved and ignored; family and length must agree", () => {
    expect(read(MappedAddress, "ff018055c0000201")).toEqual({ address: "192.0.2.1", port: 32853 });
    for (const hex of [
      "",
      "00",
      "0001",
      "00018055",
      "00018055c00002",
      "00018055c000020100",
      "00028055c0000201",
      "00008055c0000201",
      "00038055c0000201",
    ]) {
      expect(read(MappedAddress, hex), hex).toBe("bad-attribute");
    }
  });

  test("what is no endpoint is refused", () => {
    for (const value of [
      { address: "example.org", port: 1 },
      { address: "example.org:1", port: 1 },
      { address: "1.2.3.4", port: 65536 },
      { address: "1.2.3.4", port: -1 },
      { address: "1.2.3.4", port: 1.5 },
    ]) {
      expect(() => write(XorMappedAddress, value)).toThrow(badAttribute);
    }
  });
});

describe("numbers", () => {
  test.each([
    { attribute: RequestedTransport, value: 17, hex: "11000000" },
    { attribute: ResponsePort, value: 0xabcd, hex: "abcd0000" },
    { attribute: Lifetime, value: 600, hex: "00000258" },
    { attribute: Priority, value: 0xffffffff, hex: "ffffffff" },
  ])("$attribute.name of $value", ({ attribute, value, hex }) => {
    expect(write(attribute, value)).toBe(hex);
    expect(read(attribute, hex)).toBe(value);
  });

  test("bytes reserved for later are ignored", () => {
    expect(read(RequestedTransport, "11ffffff")).toBe(17);
    expect(read(ResponsePort, "abcdffff")).toBe(0xabcd);
  });

  test("RESPONSE-PORT's two last bytes may be padding", () => {
    expect(read(ResponsePort, "abcd")).toBe(0xabcd);
    expect(read(ResponsePort, "abcd00")).toBe("bad-attribute");
  });

  test("64 bits", () => {
    expect(write(IceControlling, 0xffff_ffff_ffff_ffffn)).toBe("ffffffffffffffff");
    expect(read(IceControlling, "0102030405060708")).toBe(0x0102030405060708n);
    expect(read(IceControlling, "01020304")).toBe("bad-attribute");
    for (const value of [-1n, 1n << 64n]) expect(() => write(IceControlling, value)).toThrow(badAttribute);
  });

  test.each([
    { attribute: RequestedTransport, value: 256 },
    { attribute: ResponsePort, value: 65536 },
    { attribute: Lifetime, value: 2 ** 32 },
    { attribute: Lifetime, value: -1 },
    { attribute: Lifetime, value: 0.5 },
    { attribute: Priority, value: Number.NaN },
  ])("$attribute.name refuses $value", ({ attribute, value }) => {
    expect(() => write(attribute, value)).toThrow(badAttribute);
  });

  test("an address family is 1 or 2", () => {
    expect(write(RequestedAddressFamily, 6)).toBe("02000000");
    expect(read(RequestedAddressFamily, "01ffffff")).toBe(4);
    expect(read(RequestedAddressFamily, "03000000")).toBe("bad-attribute");
    expect(read(RequestedAddressFamily, "01")).toBe("bad-attribute");
  });
});

describe("text", () => {
  // RFC 8489 sections 14.3 and 14.9: strict in what we send, RFC 5389's limits in what we read.
  test.each([
    { attribute: Username, sent: 508, received: 763 },
    { attribute: Realm, sent: 509, received: 763 },
    { attribute: Software, sent: 509, received: 763 },
    { attribute: AlternateDomain, sent: 255, received: 255 },
  ])("$attribute.name: $sent bytes when sent, $received when received", ({ attribute, sent, received }) => {
    expect(write(attribute, "x".repeat(sent))).toHaveLength(2 * sent);
    expect(() => write(attribute, "x".repeat(sent + 1))).toThrow(badAttribute);
    expect(() => write(attribute, "é".repeat(sent / 2 + 1))).toThrow(badAttribute);
    expect(read(attribute, "78".repeat(received))).toBe("x".repeat(received));
    expect(read(attribute, "78".repeat(received + 1))).toBe("bad-attribute");
  });

  test("is UTF-8, and may be empty", () => {
    expect(write(Username, "マ")).toBe("e3839e");
    expect(read(Username, "e3839e")).toBe("マ");
    expect(read(Username, "")).toBe("");
  });
});

describe("bytes", () => {
  test.each([
    { attribute: ReservationToken, fitting: [8], unfitting: [0, 7, 9] },
    { attribute: Userhash, fitting: [32], unfitting: [31, 33] },
    { attribute: MessageIntegritySha256, fitting: [16, 20, 24, 28, 32], unfitting: [0, 12, 15, 17, 18, 31, 36] },
    { attribute: Data, fitting: [0, 1, 1500], unfitting: [] },
  ])("$attribute.name", ({ attribute, fitting, unfitting }) => {
    for (const length of fitting) expect(read(attribute, "07".repeat(length))).toEqual(Buffer.alloc(length, 7));
    for (const length of unfitting) {
      expect(read(attribute, "07".repeat(length))).toBe("bad-attribute");
      expect(() => write(attribute, Buffer.alloc(length))).toThrow(badAttribute);
    }
  });

  test("a flag has none", () => {
    expect(write(DontFragment, true)).toBe("");
    expect(read(DontFragment, "")).toBe(true);
    expect(read(DontFragment, "00")).toBe("bad-attribute");
  });
});
