import {
  type AttributeValue,
  ChannelNumber,
  Data,
  ErrorCode,
  encodeChannelData,
  encodeMessage,
  Lifetime,
  longTermKey,
  Method,
  Nonce,
  PasswordAlgorithms,
  Realm,
  XorMappedAddress,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { randomFrom } from "../random.test-support.js";
import { TurnClient } from "./turn-client.js";
import type { TurnInput } from "./turn-io.js";
import { ADA, REALM } from "./turn-server.test-support.js";
import { CLIENT, PEER, SERVER, TurnWorld } from "./turn-world.test-support.js";

const MESSAGES = Number(process.env.AWL_HOSTILE ?? 100_000);

test.each([
  ["lossy", { loss: 0.2 }],
  ["lossy, doubling and mixing", { loss: 0.2, duplication: 0.2, jitterMs: 200 }],
  ["slow", { delayMs: 400, jitterMs: 300 }],
])("over a line that is %s there is always an allocation, and data through it", (_, line) => {
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), fc.boolean(), (seed, issued, sha256) => {
      const world = new TurnWorld({ seed, line, issued, server: { sha256 } }).allocate();
      expect(world.relayed).toBeDefined();
      for (let i = 0; i < 40 && world.received.length === 0; i++) {
        world.send("x");
        world.clock.runFor(200);
      }
      expect(world.received[0]).toMatchObject({ from: PEER, text: "x" });
      expect(world.server.violations).toEqual([]);
      world.feed({ type: "close" });
      world.clock.runFor(10_000);
      expect(world.ended).toBe(true);
    }),
    { numRuns: 200 },
  );
});

/** A client that is fed by hand, and watched: deadlines lie ahead, and nothing is said after the end. */
class Watched {
  readonly client: TurnClient;
  readonly random: () => number;
  now = 0;
  wakeAt = 0;
  sends: Buffer[] = [];
  ended = false;

  constructor(seed: number, transport: "udp" | "stream" = "udp") {
    this.random = randomFrom(seed);
    this.client = new TurnClient({
      server: SERVER,
      transport,
      credentials: { ...ADA, realm: REALM, nonce: "nonce" },
      family: 4,
      random: (length) => Buffer.from(Array.from({ length }, () => Math.trunc(this.random() * 256))),
    });
  }

  feed(input: TurnInput): void {
    const wasOver = this.ended;
    for (const output of this.client.handle(this.now, input)) {
      expect(wasOver).toBe(false);
      if (output.type === "send") this.sends.push(output.bytes);
      if (output.type === "event" && (output.event.event === "failed" || output.event.event === "ended")) this.ended = true;
      if (output.type !== "wake") continue;
      expect(output.at).toBeGreaterThan(this.now);
      this.wakeAt = output.at;
    }
  }

  /** Lets time pass, tick by tick. */
  wait(ms: number): void {
    const end = this.now + ms;
    while (!this.ended && this.wakeAt <= end) {
      this.now = this.wakeAt;
      this.feed({ type: "tick" });
    }
    this.now = end;
  }
}

test(`${MESSAGES} mutated messages of a server's break nothing and make the client say nothing`, { timeout: 600_000 }, () => {
  const world = new TurnWorld({ issued: true }).allocate();
  const harvest: Buffer[] = [encodeChannelData(0x4001, Buffer.from("data"))];
  const { client } = world;
  const handle = client.handle.bind(client);
  client.handle = (now, input) => {
    if (input.type === "datagram") harvest.push(Buffer.from(input.bytes));
    return handle(now, input);
  };
  for (let i = 0; i < 20; i++) {
    world.send("x");
    world.clock.runFor(60_000);
  }
  const watched = new Watched(1);
  watched.feed({ type: "tick" });
  const { random } = watched;
  const begun = watched.sends.length;
  for (let i = 0; i < MESSAGES; i++) {
    const bytes = Buffer.from(harvest[Math.trunc(random() * harvest.length)] ?? "");
    // Half of them as answers to what was really asked.
    if (random() < 0.5 && bytes.length >= 20) watched.sends[0]?.copy(bytes, 8, 8, 20);
    for (let n = Math.trunc(random() * 4); n >= 0; n--) bytes[Math.trunc(random() * bytes.length)] = Math.trunc(random() * 256);
    watched.feed({ type: "datagram", bytes: random() < 0.1 ? bytes.subarray(0, Math.trunc(random() * bytes.length)) : bytes });
  }
  expect(watched.ended).toBe(false);
  // A 401 that happens to survive is followed, once.
  expect(watched.sends.length - begun).toBeLessThanOrEqual(2);
  const { counters } = watched.client;
  expect(
    counters["not-turn"] + counters["unknown-transaction"] + counters.forged + counters["not-permitted"] + counters["unknown-channel"],
  ).toBeGreaterThan(0.99 * MESSAGES);
});

const endpoint = fc.record({
  address: fc.constantFrom("192.0.2.9", "127.0.0.1", "0.0.0.0", "2001:db8::1"),
  port: fc.constantFrom(0, 1, 9_000),
});
const attribute: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.constantFrom(0, 1, 2, 600, 0xffffffff).map((seconds) => Lifetime.of(seconds)),
  endpoint.map((at) => XorRelayedAddress.of(at)),
  endpoint.map((at) => XorMappedAddress.of(at)),
  endpoint.map((at) => XorPeerAddress.of(at)),
  fc.string({ maxLength: 150 }).map((text) => Nonce.of(text)),
  fc.constantFrom("", REALM, "other").map((text) => Realm.of(text)),
  fc.constantFrom(300, 400, 401, 403, 437, 438, 486, 500, 508, 699).map((code) => ErrorCode.of({ code, reason: "\u001b[31m" })),
  fc
    .array(fc.record({ algorithm: fc.nat(3), parameters: fc.uint8Array({ maxLength: 4 }) }), { minLength: 1, maxLength: 20 })
    .map((list) => PasswordAlgorithms.of(list)),
  fc.nat(0xffff).map((number) => ChannelNumber.of(number)),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Data.of(bytes)),
);
const deed = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("answer" as const),
      success: fc.boolean(),
      signed: fc.boolean(),
      attributes: fc.array(attribute, { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("grant" as const), seconds: fc.constantFrom(1, 5, 600, 0xffffffff) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("indication" as const),
      method: fc.constantFrom(...Object.values(Method)),
      attributes: fc.array(attribute, { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("channel" as const), number: fc.integer({ min: 0x4000, max: 0x4fff }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("relay" as const), to: endpoint }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("permit" as const), peers: fc.array(endpoint) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(1, 200, 5_000, 300_000) }) },
);

test("a server that has the password and says anything in any order breaks nothing, and gets no flood out of the client", () => {
  const key = longTermKey(ADA.username, REALM, ADA.password);
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), fc.array(deed, { minLength: 10, maxLength: 80 }), (seed, stream, deeds) => {
      const watched = new Watched(seed, stream ? "stream" : "udp");
      watched.feed({ type: "tick" });
      let relayed = 0;
      let answered = 0;
      const answer = (success: boolean, attributes: readonly AttributeValue[], signed: boolean) => {
        const request = watched.sends.findLast((bytes) => bytes.length >= 20 && (bytes.readUInt16BE(0) & 0x110) === 0);
        if (!request) return;
        answered += 1;
        const type = request.readUInt16BE(0);
        const method = type & 0xf;
        const transactionId = request.subarray(8, 20);
        const integrity = signed ? [{ algorithm: "sha1" as const, key }] : [];
        const bytes = encodeMessage({ method, class: success ? "success" : "error", transactionId, attributes, integrity });
        watched.feed({ type: "datagram", bytes });
      };
      for (const one of deeds) {
        if (one.type === "answer") answer(one.success, one.attributes, one.signed);
        else if (one.type === "grant") {
          answer(true, [XorRelayedAddress.of(PEER), XorMappedAddress.of(CLIENT), Lifetime.of(one.seconds)], true);
        } else if (one.type === "indication") {
          const { method, attributes } = one;
          const bytes = encodeMessage({ method, class: "indication", transactionId: Buffer.alloc(12), attributes });
          watched.feed({ type: "datagram", bytes });
        } else if (one.type === "channel") watched.feed({ type: "datagram", bytes: encodeChannelData(one.number, Buffer.from("x")) });
        else if (one.type === "wait") watched.wait(one.ms);
        else {
          if (one.type === "relay") relayed += 1;
          watched.feed(one.type === "relay" ? { ...one, bytes: Buffer.from("x") } : one);
        }
      }
      // One more each second, if it grants a second at a time, and a request's copies each 5 s for each of its peers.
      const quiet = 100 + 8 * (relayed + answered) + watched.now / 200;
      expect(watched.sends.length).toBeLessThan(quiet);
    }),
    { numRuns: 1_000 },
  );
});
