import { expect, test } from "vitest";
import { heapUsed } from "../../packages/rendezvous/src/driver/heap.test-support.js";
import { Duo } from "./duo.js";

/** Bytes that a quarter of an hour may add to what two sessions keep: 56 a ping, 11 kB a path, and the heap's own moods. */
const SLACK = 1_000_000;

/** A quarter of an hour of pings, ten a second, after a minute of them; what happens beside them six times a minute. */
function grownBy(happening: (duo: Duo) => void): number {
  const duo = new Duo({ connector: "port-restricted", listener: "masquerade" }).connect();
  const chat = () => {
    for (const side of duo.sides) side.feed({ type: "ping" });
    duo.clock.later(chat, 100);
  };
  const run = (minutes: number) => {
    for (let i = 0; i < 6 * minutes; i++) {
      happening(duo);
      duo.clock.runFor(10_000);
      for (const side of duo.sides) side.events.length = 0;
    }
  };
  chat();
  run(1);
  const before = heapUsed();
  run(15);
  const after = heapUsed();
  expect(duo.sides.every(({ path }) => path)).toBe(true);
  return after - before;
}

test("a session that talks and talks keeps no more than at first", () => {
  expect(grownBy(() => {})).toBeLessThan(SLACK);
});

test("nor does one whose path dies again and again", () => {
  expect(grownBy((duo) => duo.flush())).toBeLessThan(SLACK);
});
