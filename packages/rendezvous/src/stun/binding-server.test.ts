import {
  ChangedAddress,
  ChangeRequest,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeMessage,
  Fingerprint,
  formatEndpoint,
  MappedAddress,
  type MessageFields,
  Method,
  OtherAddress,
  Padding,
  Priority,
  ResponseOrigin,
  ResponsePort,
  Software,
  SourceAddress,
  shortTermKey,
  UnknownAttributes,
  Username,
  XorMappedAddress,
} from "@awl/wire";
import { describe, expect, test } from "vitest";
import { BindingServer } from "./binding-server.js";
import type { ReflectionLimits } from "./rate-limit.js";
import { stunSockets } from "./sockets.js";

const A = "198.51.100.1";
const B = "198.51.100.2";
const PORT = 3478;
const ALT_PORT = 3479;
const CLIENT: Endpoint = { address: "203.0.113.9", port: 40_000 };
const CLIENT_6: Endpoint = { address: "2001:db8::9", port: 40_000 };
const TRANSACTION_ID = Buffer.from("0102030405060708090a0b0c", "hex");

/** A server with these addresses, each given as LOCAL or LOCAL/PUBLIC: the first two are each other's alternates, the rest have the first. */
function serverOf(addresses: readonly string[], limits: Partial<ReflectionLimits> = {}): BindingServer {
  const served = addresses.map((text, i) => {
    const [address = "", publicAddress = address] = text.split("/");
    return { address, publicAddress, alternate: addresses.length < 2 ? undefined : i === 0 ? 1 : 0 };
  });
  return new BindingServer(stunSockets(served, PORT, ALT_PORT), limits);
}

const one = () => serverOf([A]);
const two = () => serverOf([A, B]);

function request(fields: Partial<MessageFields> = {}): Buffer {
  return encodeMessage({ method: Method.Binding, class: "request", transactionId: TRANSACTION_ID, ...fields });
}

/** A request of RFC 3489: where the cookie stands now, its transaction id has four bytes more. */
function classicRequest(fields: Partial<MessageFields> = {}): Buffer {
  const bytes = request(fields);
  bytes.write("old!", 4);
  return bytes;
}

const change = (ip: boolean, port: boolean) => request({ attributes: [ChangeRequest.of({ ip, port })] });
const respondTo = (port: number) => request({ attributes: [ResponsePort.of(port)] });

function ask(server: BindingServer, bytes: Uint8Array, from = CLIENT, local = 0, now = 0) {
  const answer = server.handle(now, bytes, local, from);
  if (!answer) throw new Error("no answer");
  const message = decodeMessage(answer.bytes);
  if (typeof message === "string") throw new Error(message);
  return { ...answer, message };
}

describe("a server with two addresses", () => {
  const SOCKETS = [`${A}:${PORT}`, `${A}:${ALT_PORT}`, `${B}:${PORT}`, `${B}:${ALT_PORT}`];

  // RFC 5780 section 6.1, table 1: [asked, answer for no flags, change IP, change port, both = OTHER-ADDRESS]
  const TABLE: readonly (readonly [string, string, string, string, string])[] = [
    [`${A}:3478`, `${A}:3478`, `${B}:3478`, `${A}:3479`, `${B}:3479`],
    [`${A}:3479`, `${A}:3479`, `${B}:3479`, `${A}:3478`, `${B}:3478`],
    [`${B}:3478`, `${B}:3478`, `${A}:3478`, `${B}:3479`, `${A}:3479`],
    [`${B}:3479`, `${B}:3479`, `${A}:3479`, `${B}:3478`, `${A}:3478`],
  ];

  test.each(TABLE)("CHANGE-REQUEST at %s", (asked, none, ip, port, both) => {
    const flagsAndAnswers = [
      [request(), none],
      [change(false, false), none],
      [change(true, false), ip],
      [change(false, true), port],
      [change(true, true), both],
    ] as const;
    for (const [bytes, origin] of flagsAndAnswers) {
      const { via, to, message } = ask(two(), bytes, CLIENT, SOCKETS.indexOf(asked));
      expect(SOCKETS[via]).toBe(origin);
      expect(to).toEqual(CLIENT);
      expect(formatEndpoint(message.get(ResponseOrigin) as Endpoint)).toBe(origin);
      expect(formatEndpoint(message.get(OtherAddress) as Endpoint)).toBe(both);
    }
  });

  test("answers with the four attributes that RFC 5780 section 6.1 forces, and nothing more", () => {
    const { bytes, message } = ask(two(), request());
    expect(message.class).toBe("success");
    expect(message.transactionId).toEqual(TRANSACTION_ID);
    expect(message.get(XorMappedAddress)).toEqual(CLIENT);
    expect(message.get(MappedAddress)).toEqual(CLIENT);
    expect(message.has(ResponseOrigin) && message.has(OtherAddress)).toBe(true);
    expect(bytes).toHaveLength(20 + 4 * 12);
  });

  test("IPv6 answers have the same four", () => {
    const { bytes, message } = ask(serverOf(["2001:db8::1", "2001:db8::2"]), request(), CLIENT_6);
    expect(message.get(XorMappedAddress)).toEqual(CLIENT_6);
    expect(message.get(OtherAddress)).toEqual({ address: "2001:db8::2", port: ALT_PORT });
    expect(bytes).toHaveLength(20 + 4 * 24);
  });

  test("behind a 1:1 NAT it names public addresses and answers from local ones", () => {
    const { via, message } = ask(serverOf([`10.0.0.1/${A}`, `10.0.0.2/${B}`]), change(true, false));
    expect(via).toBe(2);
    expect(message.get(ResponseOrigin)).toEqual({ address: B, port: PORT });
    expect(message.get(OtherAddress)).toEqual({ address: B, port: ALT_PORT });
  });

  test("a third address has the first as its alternate", () => {
    const { via, message } = ask(serverOf([A, B, "198.51.100.3"]), change(true, true), CLIENT, 4);
    expect(via).toBe(1);
    expect(message.get(OtherAddress)).toEqual({ address: A, port: ALT_PORT });
  });
});

describe("a server with one address", () => {
  test("answers with XOR-MAPPED-ADDRESS alone, on both ports", () => {
    for (const local of [0, 1]) {
      const { bytes, via, message } = ask(one(), request(), CLIENT, local);
      expect(bytes).toHaveLength(32);
      expect(via).toBe(local);
      expect(message.get(XorMappedAddress)).toEqual(CLIENT);
    }
  });

  test.each([change(false, false), change(true, false), change(false, true), change(true, true)])(
    "refuses CHANGE-REQUEST (%#)",
    (bytes) => {
      const { message, via, to } = ask(one(), bytes);
      expect(message.get(ErrorCode)).toEqual({ code: 420, reason: "Unknown Attribute" });
      expect(message.get(UnknownAttributes)).toEqual([ChangeRequest.type]);
      expect([via, to]).toEqual([0, CLIENT]);
    },
  );

  test("obeys RESPONSE-PORT all the same: it needs no second address", () => {
    expect(ask(one(), respondTo(50_000)).to).toEqual({ address: CLIENT.address, port: 50_000 });
  });
});

describe("clients of RFC 3489", () => {
  test("get MAPPED-ADDRESS and their 16-byte transaction id", () => {
    const { bytes, message } = ask(one(), classicRequest());
    expect(bytes.subarray(4, 20)).toEqual(classicRequest().subarray(4, 20));
    expect(bytes).toHaveLength(32);
    expect(message.classic).toBe(true);
    expect(message.get(MappedAddress)).toEqual(CLIENT);
  });

  test("get SOURCE-ADDRESS and CHANGED-ADDRESS where there is an alternate, and their CHANGE-REQUEST obeyed", () => {
    const { message, via } = ask(two(), classicRequest({ attributes: [ChangeRequest.of({ ip: true, port: true })] }));
    expect(via).toBe(3);
    expect(message.get(SourceAddress)).toEqual({ address: B, port: ALT_PORT });
    expect(message.get(ChangedAddress)).toEqual({ address: B, port: ALT_PORT });
    expect(message.has(XorMappedAddress)).toBe(false);
  });

  test("cannot aim an answer with RESPONSE-ADDRESS, which let them name any victim", () => {
    const bytes = classicRequest({ attributes: [MappedAddress.of({ address: "192.0.2.66", port: 53 })] });
    bytes.writeUInt16BE(0x0002, 20);
    const { message, to } = ask(two(), bytes);
    expect(message.get(ErrorCode)?.code).toBe(420);
    expect(message.get(UnknownAttributes)).toEqual([0x0002]);
    expect(to).toEqual(CLIENT);
  });
});

describe("what a request may carry", () => {
  test("unknown comprehension-required attributes are named in a 420", () => {
    const bytes = request({ attributes: [Priority.of(1), Username.of("x"), Software.of("y")] });
    bytes.writeUInt16BE(0x7ff0, 20);
    const { message } = ask(two(), bytes);
    expect(message.class).toBe("error");
    expect(message.get(UnknownAttributes)).toEqual([0x7ff0]);
  });

  test("PADDING is refused: it would fetch an MTU of padding", () => {
    const { message, bytes } = ask(two(), request({ attributes: [Padding.of(Buffer.alloc(1000))] }));
    expect(message.get(UnknownAttributes)).toEqual([Padding.type]);
    expect(bytes.length).toBeLessThan(60);
  });

  test("everything that is refused is named at once", () => {
    const bytes = request({ attributes: [Priority.of(1), ChangeRequest.of({ ip: true, port: false }), Padding.of(Buffer.alloc(4))] });
    bytes.writeUInt16BE(0x0002, 20);
    expect(ask(one(), bytes).message.get(UnknownAttributes)).toEqual([0x0002, Padding.type, ChangeRequest.type]);
  });

  test("credentials and the attributes of ICE are ignored", () => {
    const bytes = request({
      attributes: [Username.of("a:b"), Priority.of(1)],
      integrity: [{ algorithm: "sha1", key: shortTermKey("secret") }],
    });
    expect(ask(one(), bytes).bytes).toHaveLength(32);
  });

  test("FINGERPRINT comes back, in errors too", () => {
    expect(ask(one(), request({ fingerprint: true })).message.has(Fingerprint)).toBe(true);
    expect(ask(one(), request({ fingerprint: false })).message.has(Fingerprint)).toBe(false);
    const refused = ask(one(), request({ attributes: [ChangeRequest.of({ ip: true, port: true })], fingerprint: true }));
    expect(refused.message.has(Fingerprint)).toBe(true);
  });
});

describe("RESPONSE-PORT", () => {
  test("redirects to another port of the asker", () => {
    const { to, via, message } = ask(two(), respondTo(50_000));
    expect(to).toEqual({ address: CLIENT.address, port: 50_000 });
    expect(via).toBe(0);
    expect(message.get(XorMappedAddress)).toEqual(CLIENT);
  });

  test("1024 is the first port that it reaches", () => {
    expect(ask(two(), respondTo(1024)).to.port).toBe(1024);
  });

  test("goes together with CHANGE-REQUEST", () => {
    const { to, via } = ask(two(), request({ attributes: [ResponsePort.of(50_000), ChangeRequest.of({ ip: true, port: true })] }));
    expect([to.port, via]).toEqual([50_000, 3]);
  });

  test.each([0, 19, 53, 1023])("port %i is refused", (port) => {
    const { message, to } = ask(two(), respondTo(port));
    expect(message.get(ErrorCode)).toEqual({ code: 403, reason: "Forbidden" });
    expect(to).toEqual(CLIENT);
  });

  test("an own endpoint is refused", () => {
    const { message } = ask(two(), respondTo(ALT_PORT), { address: A, port: 40_000 });
    expect(message.get(ErrorCode)?.code).toBe(403);
  });

  test("the asker's own port, privileged or not, is a plain answer", () => {
    const from = { address: CLIENT.address, port: 500 };
    expect(ask(two(), respondTo(500), from).to).toEqual(from);
  });
});

describe("what is dropped", () => {
  const DROPPED: readonly (readonly [string, Buffer, Endpoint])[] = [
    ["too-short", Buffer.alloc(3), CLIENT],
    ["not-stun", Buffer.alloc(20, 0xff), CLIENT],
    ["bad-length", Buffer.concat([request(), Buffer.alloc(4)]), CLIENT],
    ["indication", request({ class: "indication" }), CLIENT],
    ["not-a-request", request({ class: "success" }), CLIENT],
    ["not-a-request", request({ class: "error" }), CLIENT],
    ["other-method", request({ method: Method.Allocate }), CLIENT],
    ["bad-source", request(), { ...CLIENT, port: 0 }],
    ["bad-source", request(), { address: "0.0.0.0", port: 1 }],
    ["bad-source", request(), { address: "224.0.0.1", port: 1 }],
    ["bad-source", request(), { address: "255.255.255.255", port: 1 }],
    ["bad-source", request(), { address: "::", port: 1 }],
    ["bad-source", request(), { address: "ff02::1", port: 1 }],
    ["own-source", request(), { address: A, port: PORT }],
    ["own-source", request(), { address: B, port: ALT_PORT }],
  ];

  test.each(DROPPED)("%s", (reason, bytes, from) => {
    const server = two();
    expect(server.handle(0, bytes, 0, from)).toBeUndefined();
    expect(server.counters.dropped[reason as "indication"]).toBe(1);
    expect(server.counters.received).toBe(1);
  });

  test.each([A, "10.0.0.1"])("an own endpoint behind a 1:1 NAT, public or local: %s", (address) => {
    expect(serverOf([`10.0.0.1/${A}`]).handle(0, request(), 0, { address, port: ALT_PORT })).toBeUndefined();
  });
});

describe("the rate limit", () => {
  test("refuses what it may not reflect with a small 500 to the asker, and still answers plainly", () => {
    const server = serverOf([A, B], { prefixBurst: 2, prefixRate: 1 });
    expect(ask(server, change(true, true)).message.class).toBe("success");
    expect(ask(server, respondTo(50_000)).message.class).toBe("success");
    for (const bytes of [change(true, false), change(false, true), respondTo(50_000)]) {
      const { message, via, to, bytes: answer } = ask(server, bytes);
      expect(message.get(ErrorCode)).toEqual({ code: 500, reason: "Server Error" });
      expect([via, to, answer.length]).toEqual([0, CLIENT, 40]);
    }
    expect(ask(server, change(false, false)).message.class).toBe("success");
    expect(ask(server, request()).message.class).toBe("success");
    expect(server.counters).toMatchObject({ answered: 4, refused: { 500: 3 }, received: 7 });
    expect(ask(server, change(true, true), CLIENT, 0, 1000).message.class).toBe("success");
  });
});
