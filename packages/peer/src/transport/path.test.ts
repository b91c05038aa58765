import { describe, expect, test } from "vitest";
import { SEALED_OVERHEAD } from "../session/sealed.js";
import { DatagramSize } from "./datagram-size.js";
import { Link, type LinkOptions } from "./link.test-support.js";
import { Pair } from "./pair.test-support.js";

const FAST: LinkOptions = { mbits: 100, delayMs: 5, queue: 200_000 };
const SLOW: LinkOptions = { mbits: 10, delayMs: 60, queue: 100_000 };

/** Both directions take new lines from now on; what is on the old ones still arrives, if they are not dead. */
function switchTo(pair: Pair, there: LinkOptions, { oldIsDead = false, told = true }: { oldIsDead?: boolean; told?: boolean } = {}): void {
  if (oldIsDead) pair.there.options.down = pair.back.options.down = true;
  pair.there = new Link(pair.clock, pair.random, { ...there });
  pair.back = new Link(pair.clock, pair.random, { ...there });
  if (told) pair.changePath({ rttMs: 2 * (there.delayMs ?? 0) });
}

describe("path changes", () => {
  test.each([
    ["alive", false],
    ["dead", true],
  ])("twenty during a transfer, the old path %s: all arrives, and no pause is long", (_, oldIsDead) => {
    const pair = new Pair({ there: FAST, back: FAST, path: { rttMs: 10 } });
    let [last, pause] = [0, 0];
    pair.listener.onRead = () => {
      pause = Math.max(pause, pair.clock.now - last);
      last = pair.clock.now;
    };
    const { id } = pair.connector.send(60_000_000);
    for (let change = 1; change <= 20; change++) {
      pair.clock.runUntil(change * 700);
      switchTo(pair, change % 2 ? SLOW : FAST, { oldIsDead });
    }
    pair.clock.runUntil(60_000, () => pair.listener.ended.has(id));
    expect(pair.listener.read.get(id)).toBe(60_000_000);
    expect(pause).toBeLessThan(500);
  });

  test("from a fast path to a slow one: the new one is not flooded, and nothing counts as congestion", () => {
    const pair = new Pair({ there: FAST, back: FAST, path: { rttMs: 10 } });
    pair.connector.send(2 ** 30);
    pair.clock.runUntil(2_000);
    const { bytesLost } = pair.connector.transport.stats;
    switchTo(pair, SLOW, { oldIsDead: true });
    pair.clock.runUntil(2_120);
    // What a new path gets in its first round trip is the initial window, not what was on its way.
    expect(pair.there.sentBytes).toBeLessThan(40_000);
    expect(pair.connector.transport.stats.bytesLost).toBe(bytesLost);
    pair.clock.runUntil(5_000);
    expect(pair.connector.transport.stats.bytesLost - bytesLost).toBeLessThan(0.05 * pair.there.sentBytes);
    expect(pair.deliveredWithin(5_000) / 5e6).toBeGreaterThan(0.8 * 1.25);
  });

  test("from a relay to a direct path that overtakes it: hardly anything is sent twice", () => {
    const pair = new Pair({ there: SLOW, back: SLOW, path: { rttMs: 120 } });
    const { id } = pair.connector.send(10_000_000);
    pair.clock.runUntil(3_000);
    const { sentBytes } = pair.there;
    switchTo(pair, FAST);
    pair.clock.runUntil(30_000, () => pair.listener.ended.has(id));
    expect(pair.listener.ended.has(id)).toBe(true);
    expect(sentBytes + pair.there.sentBytes).toBeLessThan(1.08 * 10_000_000);
  });

  test("only one side noticed it", () => {
    const pair = new Pair({ there: FAST, back: FAST });
    const { id } = pair.connector.send(30_000_000);
    pair.clock.runUntil(1_000);
    switchTo(pair, SLOW, { oldIsDead: true, told: false });
    pair.listener.changePath();
    pair.clock.runUntil(90_000, () => pair.listener.ended.has(id));
    expect(pair.listener.read.get(id)).toBe(30_000_000);
  });

  test("while there is no path nothing is sent; then all goes on at once", () => {
    const pair = new Pair({ there: FAST, back: FAST });
    pair.connector.send(2 ** 30);
    pair.clock.runUntil(1_000);
    pair.connector.transport.losePath();
    pair.listener.transport.losePath();
    pair.there.options.down = pair.back.options.down = true;
    const { sentBytes } = pair.there;
    pair.clock.runUntil(31_000);
    expect(pair.there.sentBytes).toBe(sentBytes);
    expect(pair.connector.transport.deadline).toBe(Number.POSITIVE_INFINITY);
    pair.there.options.down = pair.back.options.down = false;
    pair.changePath({ rttMs: 10 });
    expect(pair.deliveredWithin(1_000)).toBeGreaterThan(4_000_000);
  });
});

describe("datagram size", () => {
  const sizeOver = (mtu: number, maxDatagram?: number) => {
    const line = { ...FAST, mtu };
    const pair = new Pair({ there: line, back: line, path: { rttMs: 10, ...(maxDatagram && { maxDatagram }) } });
    pair.transfer(2_000_000);
    return pair.connector.transport.stats.datagramSize;
  };

  test.each([
    [1_200, 1_200],
    [1_391, 1_200],
    [1_400, 1_392],
    [1_452, 1_452],
    [1_500, 1_452],
  ])("a path that carries %i bytes gets %i", (mtu, size) => {
    expect(sizeOver(mtu)).toBe(size);
  });

  test("what sealing adds is reckoned with", () => {
    expect(new DatagramSize().datagram - new DatagramSize().packet).toBe(SEALED_OVERHEAD);
  });

  test("no more than the layer below allows, and more where it does", () => {
    expect(sizeOver(9_000, 1_472)).toBe(1_472);
    expect(sizeOver(9_000, 8_972)).toBe(8_972);
    expect(sizeOver(9_000, 1_300)).toBe(1_300);
    expect(sizeOver(9_000, 1_000)).toBe(1_200);
  });

  test("a lost probe is no congestion, and is not repeated", () => {
    const line = { mbits: 100, delayMs: 5, mtu: 1_300 };
    const pair = new Pair({ there: line, back: line });
    pair.transfer(1_000_000);
    expect(pair.connector.transport.stats.packetsLost).toBe(0);
    expect(pair.connector.transport.stats.datagramSize).toBe(1_200);
  });

  test("a path that suddenly carries less is noticed", () => {
    const pair = new Pair({ there: { ...FAST }, back: { ...FAST } });
    const { id } = pair.connector.send(20_000_000);
    pair.clock.runUntil(500);
    expect(pair.connector.transport.maxDatagram).toBeGreaterThan(1_400);
    pair.there.options.mtu = pair.back.options.mtu = 1_250;
    pair.clock.runUntil(20_000, () => pair.listener.ended.has(id));
    expect(pair.listener.read.get(id)).toBe(20_000_000);
    expect(pair.connector.transport.stats.datagramSize).toBe(1_200);
    expect(pair.connector.transport.maxDatagram).toBeLessThan(1_200);
  });
});
