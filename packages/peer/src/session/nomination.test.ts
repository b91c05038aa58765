import { expect, test } from "vitest";
import type { Candidate } from "./candidate.js";
import { Checks } from "./check.js";
import { Checklist } from "./checklist.js";
import { Nomination } from "./nomination.js";
import type { Pair } from "./pair.js";

const LAN: Candidate = { type: "host", address: "192.168.1.11", port: 1 };
const PUBLIC: Candidate = { type: "server-reflexive", address: "198.18.2.1", port: 2 };
/** Our public endpoint: behind another NAT than the peer, or behind the same one. */
const FAR = { address: "198.18.1.1", port: 3 };
const NEAR = { address: PUBLIC.address, port: 3 };

function world(seen = FAR) {
  const connector = new Checks("connector", { send: Buffer.alloc(32, 1), receive: Buffer.alloc(32, 2) });
  const listener = new Checks("listener", { send: Buffer.alloc(32, 2), receive: Buffer.alloc(32, 1) });
  let byte = 0;
  const random = (length: number) => Buffer.alloc(length, ++byte);
  const checklist = new Checklist(connector, new Map([[4, 0]]), [PUBLIC, LAN], new Set(), random);
  const [lan, open] = checklist.pairs as [Pair, Pair];
  /** What is sent now, answered by the listener if it goes to one of these. */
  const turn = (now: number, answering: readonly Pair[]) =>
    checklist.poll(now).map(({ to, bytes }) => {
      const request = listener.open(bytes);
      if (typeof request === "string" || request.type !== "request") throw new Error("no request");
      const answer = connector.open(listener.answer(request.transactionId, seen));
      if (typeof answer === "string" || answer.type !== "answer") throw new Error("no answer");
      if (answering.some((pair) => pair.remote === to)) checklist.answered(now, 0, to, answer);
      return { to, nominates: request.nominates };
    });
  return { checklist, lan, open, turn, nomination: new Nomination() };
}

test("a LAN that both may be in gets a moment to answer, not more", () => {
  const { checklist, lan, open, turn, nomination } = world(NEAR);
  checklist.startAll(0);
  turn(0, [open]);
  nomination.advance(0, [checklist], undefined, undefined);
  expect(nomination.deadline).toBe(5);
  nomination.advance(5, [checklist], undefined, undefined);
  expect(turn(5, [open])).toEqual([{ to: open.remote, nominates: true }]);
  expect(open.nomination).toBeGreaterThan(lan.nomination);
});

test("a LAN that only the peer can be in is not waited for", () => {
  const { checklist, open, turn, nomination } = world(FAR);
  checklist.startAll(0);
  turn(0, [open]);
  nomination.advance(0, [checklist], undefined, undefined);
  expect(turn(0, [open])).toEqual([{ to: open.remote, nominates: true }]);
});

test("a nomination is repeated until the listener knows it, but not for ever", () => {
  const { checklist, open, turn, nomination } = world();
  checklist.startAll(0);
  turn(0, [open]);
  const said: number[] = [];
  for (let now = 5; now < 1_105; now += 10) {
    nomination.advance(now, [checklist], undefined, undefined);
    if (turn(now, []).some(({ nominates }) => nominates)) said.push(now);
  }
  expect(said).toEqual(Array.from({ length: 10 }, (_, i) => 5 + 100 * i));
  // It is checked like any other now.
  expect(open.valid).toBe(false);
  expect(checklist.deadline).toBeLessThan(Number.POSITIVE_INFINITY);
});

test("beside a path in use only a better pair is nominated, and one that falls silent is let go", () => {
  const { checklist, lan, open, turn, nomination } = world();
  checklist.startAll(0);
  turn(0, [open, lan]);
  nomination.advance(0, [checklist], lan, lan);
  expect(turn(1, [])).toEqual([]);
  let sent = 0;
  for (let now = 5; now < 5_000; now += 10) {
    nomination.advance(now, [checklist], open, open);
    sent += turn(now, []).length;
  }
  expect(sent).toBe(10);
});

test("of two nominations the later one counts, whichever answer comes last", () => {
  const { checklist, lan, open, turn } = world();
  checklist.check(0, open, true);
  checklist.check(0, lan, true);
  turn(0, [lan, open]);
  expect(lan.nomination).toBeGreaterThan(open.nomination);
});

test("an answer to what was asked before a restart proves nothing", () => {
  const { checklist, open } = world();
  checklist.check(0, open);
  checklist.poll(0);
  checklist.restart(1);
  expect(checklist.answered(2, 0, open.remote, { transactionId: Buffer.alloc(12, 1), mapped: FAR })).toBeUndefined();
  expect(open.valid).toBe(false);
});

test("a listener answers no more than a few endpoints, none that is ours, and checks none without bound", () => {
  const { checklist } = world();
  const addresses = [...Array.from({ length: 100 }, (_, i) => `198.51.100.${i}`), "127.0.0.1", "224.0.0.1"];
  const targets = new Map<string, number>();
  let counter = 0;
  for (let round = 0; round < 200; round++) {
    for (const address of addresses) {
      const request = { type: "request", transactionId: Buffer.alloc(12, round), nominates: false, counter: counter++ } as const;
      checklist.requested(round, 0, { address, port: 53 }, request);
    }
    for (const { to, isAnswer } of checklist.poll(round))
      if (!isAnswer) targets.set(to.address, (targets.get(to.address) ?? 0) + 1);
      else expect(to.address.startsWith("198.51.100.")).toBe(true);
  }
  expect(targets.size).toBe(8);
  expect(Math.max(...targets.values())).toBe(50);
});
