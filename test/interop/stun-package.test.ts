/** The npm package `stun` 2.1.0 and our codec, held against each other both ways. */
import {
  type Attribute,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeMessage,
  Fingerprint,
  longTermKey,
  ResponsePort,
  Software,
  StunMessage,
  verifyIntegrity,
  XorMappedAddress,
} from "@awl/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loopbackSocket } from "./loopback.js";
import { READ_WELL, someOf, WRITTEN_WELL } from "./shared-attributes.js";
import { stun } from "./stun-package.js";
import { ICE_PASSWORD, LONG_TERM, rfc5769 } from "./vectors.js";

const transactionId = Buffer.from("0102030405060708090a0b0c", "hex");
const BINDING = { request: 0x0001, success: 0x0101, error: 0x0111 } as const;

const keys = fc.string({ minLength: 1, maxLength: 30 });

function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeMessage(bytes);
  if (!(message instanceof StunMessage)) throw new Error(message);
  return message;
}

describe("random messages of the attributes that both know", () => {
  test("ours are read by the package, which accepts integrity and fingerprint", () => {
    fc.assert(
      fc.property(someOf(READ_WELL), keys, (attributes, key) => {
        const message = stun.decode(ours(attributes, key));
        expect(message.type).toBe(BINDING.success);
        for (const { attribute, value, fromPackage } of attributes) {
          expect(fromPackage(message.getAttribute(attribute.type)?.value as never)).toEqual(value);
        }
        expect(stun.validateFingerprint(message)).toBe(true);
        expect(stun.validateMessageIntegrity(message, key)).toBe(true);
        expect(stun.validateMessageIntegrity(message, `${key}x`)).toBe(false);
      }),
    );
  });

  test("its own are read by us, and verify", () => {
    fc.assert(
      fc.property(someOf(WRITTEN_WELL), keys, (attributes, key) => {
        const theirs = stun.createMessage(BINDING.success, transactionId);
        for (const { attribute, value, args } of attributes) theirs.addAttribute(attribute.type, ...args(value));
        theirs.addMessageIntegrity(key);
        theirs.addFingerprint();
        const message = decoded(theirs.toBuffer());
        for (const { attribute, value } of attributes) expect(message.get(attribute)).toEqual(value);
        expect(message.unknownRequired).toEqual([]);
        expect(message.has(Fingerprint)).toBe(true);
        expect(verifyIntegrity(message, "sha1", Buffer.from(key))).toBe(true);
        expect(verifyIntegrity(message, "sha1", Buffer.from(`${key}x`))).toBe(false);
      }),
    );
  });

  // It multiplies the hundreds with the rest + 100, reads the phrase as ASCII, and writes RESPONSE-PORT in two bytes, not four.
  test.each([
    {
      what: "an error code of no whole hundred",
      attribute: ErrorCode,
      value: { code: 438, reason: "Stale Nonce" },
      has: { code: 552, reason: "Stale Nonce" },
    },
    { what: "a reason phrase beyond ASCII", attribute: ErrorCode, value: { code: 400, reason: "é" }, has: { code: 400, reason: "C)" } },
    { what: "RESPONSE-PORT", attribute: ResponsePort, value: 7, has: 7 },
  ])("what the package reads badly, $what, it writes anew before it checks, and rejects", ({ attribute, value, has }) => {
    const message = stun.decode(ours([{ attribute: attribute as Attribute<unknown>, value }], "key"));
    expect(message.getAttribute(attribute.type)?.value).toEqual(has);
    expect(stun.validateFingerprint(message)).toBe(false);
    expect(stun.validateMessageIntegrity(message, "key")).toBe(false);
  });
});

function ours(attributes: readonly { attribute: Attribute<unknown>; value: unknown }[], key: string): Buffer {
  return encodeMessage({
    method: 1,
    class: "success",
    transactionId,
    attributes: attributes.map(({ attribute, value }) => attribute.of(value)),
    integrity: [{ algorithm: "sha1", key: Buffer.from(key) }],
    fingerprint: true,
  });
}

describe("RFC 5769", () => {
  const key = (name: string) =>
    name === "long-term request" ? longTermKey(LONG_TERM.username, LONG_TERM.realm, LONG_TERM.password) : Buffer.from(ICE_PASSWORD);

  // Before it checks, the package writes the message anew, with zeros where the vectors are padded with spaces.
  // It rejects all vectors that have such padding, and accepts the one that has not.
  test.each([
    { name: "request", accepted: false },
    { name: "IPv4 response", accepted: false },
    { name: "IPv6 response", accepted: false },
    { name: "long-term request", accepted: true },
  ])("$name: we verify it, the package: $accepted", ({ name, accepted }) => {
    const vector = rfc5769().get(name) ?? Buffer.alloc(0);
    const ours = decoded(vector);
    expect(verifyIntegrity(ours, "sha1", key(name))).toBe(true);
    const theirs = stun.decode(vector);
    expect(stun.validateMessageIntegrity(theirs, key(name))).toBe(accepted);
    expect(stun.encode(theirs).equals(vector)).toBe(accepted);
    if (ours.has(Fingerprint)) expect(stun.validateFingerprint(theirs)).toBe(accepted);
  });
});

describe("a Binding transaction over loopback", () => {
  test("our client, its server", async () => {
    await using client = await loopbackSocket();
    await using server = await loopbackSocket();
    const theirs = stun.createServer({ type: "udp4", socket: server.socket });
    theirs.on("bindingRequest", (request, from) => {
      const answer = stun.createMessage(BINDING.success, request.transactionId);
      answer.addXorAddress(from.address, from.port);
      answer.addSoftware("stun");
      answer.addMessageIntegrity(ICE_PASSWORD);
      answer.addFingerprint();
      theirs.send(answer, from.port, from.address);
    });
    client.send(encodeMessage({ method: 1, class: "request", transactionId, attributes: [Software.of("awl")], fingerprint: true }), server);
    const answer = decoded(await client.receive());
    expect(answer).toMatchObject({ method: 1, class: "success" });
    expect(answer.transactionId).toEqual(transactionId);
    expect(answer.get(XorMappedAddress)).toEqual({ address: client.address, port: client.port });
    expect(answer.get(Software)).toBe("stun");
    expect(verifyIntegrity(answer, "sha1", Buffer.from(ICE_PASSWORD))).toBe(true);
    theirs.close();
  });

  test("its client, our server", async () => {
    await using server = await loopbackSocket();
    let asked: Endpoint | undefined;
    server.onMessage((bytes, { address, port }) => {
      const request = decoded(bytes);
      asked = { address, port };
      const attributes = [Software.of("awl"), XorMappedAddress.of(asked)];
      server.send(
        encodeMessage({ method: 1, class: "success", transactionId: request.transactionId, attributes, fingerprint: true }),
        asked,
      );
    });
    const answer = await stun.request(`stun://${server.address}:${server.port}`, { retries: 1, timeout: 1000 });
    expect(answer.getXorAddress()).toMatchObject(asked ?? {});
    expect(stun.validateFingerprint(answer)).toBe(true);
  });
});
