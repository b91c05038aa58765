/** The figures of docs/transport.md: `AWL_TRANSPORT=1 npx vitest run --project unit packages/peer/src/transport/figures.test.ts` */
import { test } from "vitest";
import type { LinkOptions } from "./link.test-support.js";
import { Pair } from "./pair.test-support.js";

const START_UP_MS = 5_000;
const STEADY_MS = 20_000;

const LINES: readonly [mbits: number, rttMs: number, loss: number, queue: number][] = [
  [100, 40, 0, 500_000],
  [100, 40, 0, 64_000],
  [100, 40, 0.01, 500_000],
  [100, 40, 0.01, 64_000],
  [20, 100, 0, 500_000],
  [20, 100, 0.005, 500_000],
  [20, 100, 0.005, 64_000],
  [50, 40, 0.05, 250_000],
  [50, 40, 0.1, 250_000],
  [50, 40, 0.2, 250_000],
  [50, 40, 0.3, 250_000],
];

test.runIf(process.env.AWL_TRANSPORT)("figures", { timeout: 300_000 }, () => {
  const rows = LINES.map(([mbits, rttMs, loss, queue]) => {
    const there: LinkOptions = { mbits, delayMs: rttMs / 2, loss, queue };
    const pair = new Pair({ there, back: { delayMs: rttMs / 2, loss }, path: { rttMs } });
    pair.connector.send(2 ** 40);
    pair.clock.runUntil(START_UP_MS);
    const { bytesLost, bytesSent } = pair.connector.transport.stats;
    pair.there.waits.length = 0;
    const rate = pair.deliveredWithin(STEADY_MS) / STEADY_MS / 1_000;
    const waits = pair.there.waits.sort((a, b) => a - b);
    const wait = (share: number) => (waits[Math.floor(share * (waits.length - 1))] ?? 0).toFixed(1);
    return [
      `${mbits} Mbit/s, ${rttMs} ms, ${100 * loss} %, ${queue / 1_000} kB`,
      `${rate.toFixed(2)} of ${mbits / 8}`,
      `${((100 * bytesLost) / bytesSent).toFixed(1)} %`,
      `${wait(0.5)} / ${wait(0.95)} / ${wait(1)}`,
    ];
  });
  const head = ["line", "MB/s", "given up in the first 5 s", "queue, ms: median / p95 / max"];
  process.stdout.write(`${[head, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`);
});
