import {
  ChangeRequest,
  decodeMessage,
  encodeMessage,
  Fingerprint,
  type MessageFields,
  Method,
  Padding,
  ResponsePort,
  Software,
  StunMessage,
  UnknownAttributes,
} from "@awl/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BindingServer } from "./binding-server.js";
import { stunSockets } from "./sockets.js";

const A = "198.51.100.1";
const B = "198.51.100.2";
const PORT = 3478;
const ALT_PORT = 3479;

/** A server with these addresses, which are each other's alternates if they are two. */
function serverOf(addresses: readonly string[]): BindingServer {
  const alternate = (i: number) => (addresses.length > 1 ? 1 - i : undefined);
  return new BindingServer(
    stunSockets(
      addresses.map((address, i) => ({ address, publicAddress: address, alternate: alternate(i) })),
      PORT,
      ALT_PORT,
    ),
  );
}

describe("for any datagram", () => {
  const endpoints = fc.record({
    address: fc.oneof(fc.ipV4(), fc.constantFrom(A, B, "203.0.113.9", "2001:db8::9", "ff02::1", "::", "127.0.0.1")),
    port: fc.oneof(fc.nat(0xffff), fc.constantFrom(0, PORT, ALT_PORT)),
  });
  const attributes = fc.array(
    fc.oneof(
      fc.record({ ip: fc.boolean(), port: fc.boolean() }).map((flags) => ChangeRequest.of(flags)),
      fc.nat(0xffff).map((port) => ResponsePort.of(port)),
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Padding.of(bytes)),
      fc.string({ maxLength: 20 }).map((name) => Software.of(name)),
    ),
    { maxLength: 4 },
  );
  const wellFormed = fc
    .record({
      class: fc.constantFrom("request", "request", "request", "indication", "success", "error"),
      method: fc.constantFrom(Method.Binding, Method.Binding, Method.Allocate),
      transactionId: fc.uint8Array({ minLength: 12, maxLength: 16 }).map((id) => id.slice(0, id.length < 16 ? 12 : 16)),
      attributes,
      fingerprint: fc.boolean(),
    })
    .map((fields) => encodeMessage(fields as MessageFields));
  const mutated = fc.tuple(wellFormed, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })).map(([bytes, edits]) => {
    for (const [at, value] of edits) bytes[at % bytes.length] = value;
    return bytes;
  });
  const datagrams = fc.oneof(fc.uint8Array({ maxLength: 200 }), wellFormed, mutated);

  test("an answer goes only to the address that asked, only for a Binding request, and is small", () => {
    const servers = [serverOf([A]), serverOf([A, B])];
    fc.assert(
      fc.property(datagrams, endpoints, fc.nat(1), fc.nat(1), (bytes, from, which, local) => {
        const server = servers[which] as BindingServer;
        const before = server.counters.received;
        const answer = server.handle(0, bytes, local, from);
        expect(server.counters.received).toBe(before + 1);
        if (!answer) return;

        const asked = decodeMessage(bytes);
        if (!(asked instanceof StunMessage)) throw new Error("answered what is no STUN message");
        expect([asked.method, asked.class]).toEqual([Method.Binding, "request"]);
        expect(answer.to.address).toBe(from.address);
        expect(answer.to.port === from.port || answer.to.port >= 1024).toBe(true);
        const own = which === 1 ? [A, B] : [A];
        expect(own.includes(answer.to.address) && [PORT, ALT_PORT].includes(answer.to.port)).toBe(false);

        const said = decodeMessage(answer.bytes);
        if (!(said instanceof StunMessage)) throw new Error("answered with what is no STUN message");
        expect(said.transactionId).toEqual(asked.transactionId);
        expect(answer.bytes.length).toBeLessThanOrEqual(largestAnswer(asked, said, which === 1));
      }),
      { numRuns: 5000 },
    );
  });

  /** The protocol's own size: four addresses where RFC 5780 forces them, one elsewhere; an error names what it refuses. */
  function largestAnswer(asked: StunMessage, said: StunMessage, hasAlternate: boolean): number {
    const fingerprint = said.has(Fingerprint) ? 8 : 0;
    if (said.class === "success") return 20 + (hasAlternate ? 48 + 24 : 24) + fingerprint;
    const unknown = said.get(UnknownAttributes)?.length ?? 0;
    expect(unknown * 4).toBeLessThanOrEqual(asked.bytes.length - 20);
    return 20 + 28 + (unknown > 0 ? 8 + unknown * 2 : 0) + fingerprint;
  }
});
