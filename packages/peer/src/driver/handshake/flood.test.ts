import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { bytesOf, Cast, makeLink, outcomeOf, transcriptOf } from "./hostile-link.test-support.js";

const cast = new Cast();

describe("a flood", () => {
  /** RFC 8446 appendix D.4: a record that means nothing, and is legal at many a moment. */
  const NOTHING = Buffer.from("140303000101", "hex");

  test.each<[string, () => Uint8Array, number]>([
    ["of records that mean nothing", () => NOTHING, 5_000],
    ["of single bytes of an endless hello", () => Buffer.of(0x16), 5_000],
    ["of one hello that never ends", () => Buffer.concat([Buffer.from("160301400001003ffc0303", "hex"), Buffer.alloc(16_000)]), 10],
  ])("%s", async (_what, frame, count) => {
    for (const side of ["listen", "connect"] as const) {
      const link = makeLink(() => []);
      const outcome = outcomeOf(cast[side](link, { timeoutMs: 500 }));
      const end = side === "listen" ? link.listener : link.connector;
      for (let i = 0; i < count; i++) end.push(frame());
      expect(["handshake-failed", "handshake-timeout"]).toContain(await outcome);
      expect(end.duplex.destroyed).toBe(true);
    }
  });

  test("of garbage: 1,000 handshakes leave no memory and no timer behind", async () => {
    const hello = bytesOf(await transcriptOf(cast), "to-listener")[0] ?? new Uint8Array(0);
    const garbage = (i: number) => {
      if (i % 4 === 0) return randomBytes(300);
      if (i % 4 === 1) return Buffer.concat([hello.subarray(0, 5 + (i % 200)), randomBytes(200)]);
      if (i % 4 === 2) return Buffer.concat([hello.subarray(0, -1), Buffer.of(i)]);
      return Buffer.concat([hello, randomBytes(100)]);
    };
    const batch = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const link = makeLink(() => []);
        const outcome = outcomeOf(cast.listen(link));
        link.listener.push(garbage(i));
        setImmediate(() => link.listener.end());
        expect(["ticket-refused", "handshake-failed"]).toContain(await outcome);
      }
    };
    await batch(200);
    const [heapBefore, timersBefore] = [await heap(), timers()];
    await batch(1_000);
    expect(timers()).toBeLessThanOrEqual(timersBefore);
    expect((await heap()) - heapBefore).toBeLessThan(1_000_000);
  }, 60_000);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
}

/** Bytes in use after a collection, native memory of TLS included. */
async function heap(): Promise<number> {
  setFlagsFromString("--expose_gc");
  const collect: () => void = runInNewContext("gc");
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
