import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import type { Candidate } from "./candidate.js";
import { Checks } from "./check.js";
import type { ControlMessage } from "./control-message.js";
import { stepOf } from "./ladder.js";
import { Puncher } from "./puncher.js";

const KEYS = { send: Buffer.alloc(32, 1), receive: Buffer.alloc(32, 2) };
const PEER: Candidate = { type: "server-reflexive", address: "198.18.2.1", port: 5_000 };

let said: ControlMessage[];
let open: Set<number>;
let opened: number;
let puncher: Puncher;

beforeEach(() => {
  [said, open, opened] = [[], new Set(), 0];
  let random = 0;
  puncher = new Puncher({
    role: "listener",
    checks: new Checks("listener", KEYS),
    families: [4],
    stun: [],
    own: new Set(["192.168.1.10"]),
    random: (length) => {
      const bytes = Buffer.alloc(length);
      bytes.writeUInt32BE(random++);
      return bytes;
    },
    say: (_now, message) => void said.push(message),
    open: () => {
      open.add(opened);
      return opened++;
    },
    close: (socket) => void open.delete(socket),
  });
});

/** Lets time pass until then, with sockets that open at once; returns what was sent. */
function run(from: number, until: number) {
  const sends: { at: number; to: string; ttl: number | undefined }[] = [];
  for (let now = from; now <= until; now = Math.max(now + 0.5, Math.min(puncher.deadline, now + 10))) {
    for (const socket of open) puncher.opened(now, socket, [{ address: "192.168.1.10", port: 40_000 + socket }]);
    puncher.advance(now, undefined, 5);
    for (const { to, ttl } of puncher.poll(now)) sends.push({ at: now, to: `${to.address} ${to.port}`, ttl });
    expect(puncher.deadline).toBeGreaterThan(now);
  }
  return sends;
}

const offer = (number: number, candidates: readonly Candidate[]) => ({
  type: "candidates" as const,
  try: number,
  candidates: [...candidates],
});

const tries = () => said.flatMap((message) => (message.type === "candidates" ? message.try : []));

test("each try goes the next way about it", () => {
  expect([0, 1, 2, 3, 4, 5].map((number) => stepOf(number).opener)).toEqual([
    "listener",
    "connector",
    "listener",
    "both",
    "connector",
    "both",
  ]);
  expect(stepOf(6)).toEqual(stepOf(0));
});

test("the opener's first packets die on the way, and it checks only once the other side has opened too", () => {
  puncher.begin(0);
  run(0, 1);
  puncher.offered(1, offer(0, [PEER]));
  expect(run(1, 100)).toEqual([{ at: expect.any(Number), to: "198.18.2.1 5000", ttl: 2 }]);
  expect(said.map(({ type }) => type)).toEqual(["candidates", "opened"]);
  puncher.peerOpened(0);
  const checks = run(100, 200);
  expect(checks.length).toBeGreaterThan(2);
  expect(checks.every(({ ttl }) => ttl === undefined)).toBe(true);
});

test("a peer that retries at once is joined, try after try", () => {
  puncher.begin(0);
  for (let number = 1; number <= 6; number++) puncher.offered(number, offer(number, [PEER]));
  run(7, 10);
  expect(tries().at(-1)).toBe(6);
});

test("a peer that is ahead is caught up with", () => {
  puncher.begin(0);
  puncher.offered(1, offer(5, [PEER]));
  run(1, 10);
  expect(tries().at(-1)).toBe(5);
  expect(puncher.startedAt).toBeDefined();
});

test("a peer that begins tries without end is joined once a second, never costs more than three sockets, and its last word counts", () => {
  puncher.begin(0);
  let number = 0;
  for (let now = 0; now < 20_000; now += 10) {
    puncher.offered(now, offer(++number, [PEER]));
    run(now, now);
    expect(open.size).toBeLessThanOrEqual(3);
  }
  expect(tries().length).toBeLessThanOrEqual(8 + 20 + 1);
  run(20_000, 21_000);
  expect(tries().at(-1)).toBe(number);
});

test("whatever a peer says in whatever order: no throw, bounded sockets, bounded checks, a deadline ahead", () => {
  const word = fc.oneof(
    fc.record({ type: fc.constant("offer" as const), number: fc.oneof(fc.nat(12), fc.nat(1_000_000)), wait: fc.nat(300) }),
    fc.record({ type: fc.constant("opened" as const), number: fc.nat(12), wait: fc.nat(300) }),
  );
  const targets = Array.from({ length: 40 }, (_, i): Candidate => ({ ...PEER, port: 1_000 + i }));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      puncher.stop();
      puncher.begin(0);
      let now = 0;
      let sent = 0;
      for (const { type, number, wait } of words) {
        if (type === "offer") puncher.offered(now, offer(number, targets));
        else puncher.peerOpened(number);
        sent += run(now, now + wait).length;
        now += wait;
        expect(open.size).toBeLessThanOrEqual(3);
      }
      expect(sent).toBeLessThanOrEqual((8 + now / 350 + now / 1_000) * 16 * 30);
    }),
    { numRuns: 50 },
  );
});
