/** nat-probe's verdict beside coturn's natdiscovery, behind every kind of NAT of the kernel lab: right how often, and how fast. */

import { KERNEL_KIND_NAMES, NAT_KINDS } from "../grid/nat-kinds.js";
import { coturnVerdict } from "../lab/coturn-verdict.js";
import { Lab } from "../lab/lab.js";
import { natProbe, startRendezvous } from "../lab/programs.js";
import { ensureTools } from "../lab/tools.js";
import { table } from "../table.js";

const RUNS = 10;

export async function run(print: (line: string) => void): Promise<void> {
  const tools = await ensureTools();
  if (!tools.available) throw new Error(`the lab is not available: ${tools.reason}`);
  await using lab = await Lab.create();
  const server = await lab.server("rendezvous", ["203.0.113.1", "198.51.100.1"]);
  await startRendezvous(server);
  const sites = await Promise.all(KERNEL_KIND_NAMES.map((kind) => lab.site(kind)));

  // All at once: it spends its time waiting, 3 s for each of its tests that stays unanswered.
  const coturn = await Promise.all(sites.map((site) => times(1, () => coturnVerdict(site, server.address))));
  const rows = [["behind", "right", "median ms", "worst ms", "natdiscovery ms"]];
  for (const [i, { kind, host }] of sites.entries()) {
    const { expected } = NAT_KINDS[kind];
    let right = 0;
    const ms = await times(RUNS, async () => {
      const { report } = await natProbe(host, server.address);
      if (report?.type === expected.type && report.mapping === expected.mapping && report.filtering === expected.filtering) right++;
    });
    rows.push([kind, `${right}/${RUNS}`, median(ms).toFixed(0), Math.max(...ms).toFixed(0), median(coturn[i] ?? []).toFixed(0)]);
  }
  print(`nat-probe --json, from the start of the process to its end; node ${process.version}\n`);
  print(table(rows));
}

async function times(count: number, action: () => Promise<unknown>): Promise<number[]> {
  const ms: number[] = [];
  while (ms.length < count) {
    const started = performance.now();
    await action();
    ms.push(performance.now() - started);
  }
  return ms;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
