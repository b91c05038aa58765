import { expect, test } from "vitest";
import { randomFrom } from "../random.test-support.js";
import { Pair } from "./pair.js";
import { PathKeeper, type PathVerdict } from "./path-keeper.js";

const keeper = (random = () => 0) => new PathKeeper(0, new Pair(0, { address: "198.18.1.1", port: 4_000, type: "host" }), random);

/** Calls it when it wants to be called, as if nothing were ever answered. */
function verdicts(path: PathKeeper, until: number): { at: number; verdict: PathVerdict }[] {
  const said: { at: number; verdict: PathVerdict }[] = [];
  for (let at = path.deadline; at <= until; at = path.deadline) {
    const verdict = path.advance(at);
    said.push({ at, verdict });
    if (verdict === "lost") break;
    path.sent(at);
    expect(path.deadline).toBeGreaterThan(at);
  }
  return said;
}

test("what is not answered for a second is asked for four times, then the path is lost", () => {
  const path = keeper();
  path.sent(100);
  expect(verdicts(path, 10_000)).toEqual([
    ...[1_100, 1_350, 1_600, 1_850].map((at) => ({ at, verdict: "probe" })),
    { at: 2_100, verdict: "lost" },
  ]);
});

test("an answer at any time before that ends the asking", () => {
  const path = keeper();
  path.sent(0);
  for (const at of [1_000, 1_250, 1_500, 1_750]) expect(path.advance(at)).toBe("probe");
  path.heard(1_999, false);
  expect(path.advance(2_000)).toBe("idle");
  expect(path.deadline).toBe(16_750);
});

test("an idle path is kept alive every 12 to 15 s, not in step with others", () => {
  const path = keeper(randomFrom(1));
  const times: number[] = [0];
  while (times.length < 1_000) {
    const at = path.deadline;
    expect(path.advance(at)).toBe("probe");
    path.sent(at);
    path.heard(at + 10, false);
    times.push(at);
  }
  const waits = times.slice(1).map((at, i) => at - (times[i] as number));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(12_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
  expect(new Set(waits.map(Math.round)).size).toBeGreaterThan(100);
});

test("a flood of data draws no randomness, and is asked about once a second of silence", () => {
  let draws = 0;
  const path = keeper(() => draws++ && 0);
  for (let at = 0; at < 900; at++) path.sent(at);
  expect(draws).toBe(1);
  expect(path.deadline).toBe(1_000);
});

test("a machine that slept asks before it judges", () => {
  const path = keeper();
  path.sent(0);
  expect(path.advance(1_000)).toBe("probe");
  expect(verdicts(path, 70_000).map(({ verdict }) => verdict)).toEqual(["probe", "probe", "probe", "lost"]);
  const slept = keeper();
  slept.sent(0);
  expect(slept.advance(60_000)).toBe("probe");
  expect(slept.deadline).toBe(60_250);
});

test("a path that the peer doubts is asked at once, at the same pace as ever", () => {
  const path = keeper();
  path.doubt(500);
  expect(path.advance(500)).toBe("probe");
  path.doubt(510);
  expect(path.deadline).toBe(750);
  expect(verdicts(path, 10_000).at(-1)).toEqual({ at: 1_500, verdict: "lost" });
});

test("a peer that stops sending of its own accord is asked whether it is still heard", () => {
  const path = keeper();
  path.heard(0, true);
  expect(path.advance(1_000)).toBe("probe");
});
