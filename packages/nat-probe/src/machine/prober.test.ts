import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Prober } from "./prober.js";

/** What the machine says of NATs, lines and servers is tested where there are some: test/sim/prober.test.ts. */
const PRIMARY = { address: "203.0.113.1", port: 3478 };

test("hostile datagrams are counted and dropped, change nothing, and leave nothing in memory", () => {
  const prober = new Prober({ servers: [PRIMARY], localAddress: "192.168.1.10", timeoutMs: 2_200, random: randomBytes });
  const first = prober.handle(0, { type: "tick" });
  const sends = first.flatMap((output) => (output.type === "send" ? [output] : []));
  const runs = Number(process.env.AWL_HOSTILE ?? 20_000);
  const before = heapUsed();
  let reactions = 0;
  for (let i = 0; i < runs; i++) {
    const bytes = i % 2 === 0 ? randomBytes(i % 1_400) : mutate(sends[i % sends.length]?.bytes ?? Buffer.alloc(20), i);
    const outputs = prober.handle(1, { type: "datagram", socket: i % 3, from: { address: "192.0.2.66", port: 1 + (i % 65_535) }, bytes });
    reactions += outputs.filter(({ type }) => type !== "wake").length;
  }
  expect(reactions).toBe(0);
  expect(prober.dropped).toBe(runs);
  expect(heapUsed() - before).toBeLessThan(2 * 1024 * 1024);
});

/** What is still in use after a full collection, bytes. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

/** A request with one byte changed, or cut short: never a response. */
function mutate(bytes: Buffer, i: number): Buffer {
  const copy = Buffer.from(bytes.subarray(0, i % 7 === 0 ? i % bytes.length : bytes.length));
  if (copy.length > 2) copy[2 + (i % (copy.length - 2))] = i & 0xff;
  return copy;
}
