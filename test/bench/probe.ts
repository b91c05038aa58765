/** nat-probe's verdict beside coturn's natdiscovery, behind every kind of NAT of the kernel lab: right how often, and how fast. */
import { coturnVerdict } from "../lab/coturn-verdict.js";
import { Lab } from "../lab/lab.js";
import { NAT_KIND_NAMES, NAT_KINDS } from "../lab/nat-kinds.js";
import { natProbe, startRendezvous } from "../lab/programs.js";
import { ensureTools } from "../lab/tools.js";
import { table } from "./table.js";

const RUNS = 20;
/** Its tests of what stays silent take 3 s each, by design: more runs would say no more. */
const COTURN_RUNS = 3;

export async function run(print: (line: string) => void): Promise<void> {
  const tools = await ensureTools();
  if (!tools.available) throw new Error(`the lab is not available: ${tools.reason}`);
  await using lab = await Lab.create();
  const server = await lab.server("rendezvous", ["203.0.113.1", "198.51.100.1"]);
  await startRendezvous(server);

  const rows = [["behind", "right", "median ms", "worst ms", "natdiscovery ms"]];
  for (const kind of NAT_KIND_NAMES) {
    const site = await lab.site(kind);
    const { expected } = NAT_KINDS[kind];
    let right = 0;
    const ms = await times(RUNS, async () => {
      const { report } = await natProbe(site.host, server.address);
      if (report?.type === expected.type && report.mapping === expected.mapping && report.filtering === expected.filtering) right++;
    });
    const coturn = await times(COTURN_RUNS, () => coturnVerdict(site, server.address));
    rows.push([kind, `${right}/${RUNS}`, median(ms).toFixed(0), Math.max(...ms).toFixed(0), median(coturn).toFixed(0)]);
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
