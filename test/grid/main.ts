/** `npm run grid [-- WHAT [N]]`: every pair of NAT kinds, in both worlds or one; or a population of peers. */
import { writeFile } from "node:fs/promises";
import { runInKernel } from "../lab/grid-run.js";
import { ensureTools } from "../lab/tools.js";
import { runGrid } from "../sim/runs.js";
import { cellTable } from "./cell-table.js";
import { picture } from "./picture.js";
import { populationReport } from "./population-report.js";
import { report, type WorldResult } from "./report.js";

interface Task {
  readonly about: string;
  /** N, if it is not given. */
  readonly count: number;
  readonly run: (count: number) => Promise<string>;
}

const KERNEL_RUNS = 5;
const SIMULATOR_RUNS = 50;
/** Pairs that connect at once in the kernel: more, and it is the processors that are measured. */
const AT_ONCE = 2;

const KERNEL_ABOUT = "The real programs behind nftables routers in network namespaces, no added delay, two pairs at once on two cores.";
const SIMULATOR_ABOUT = "The same machines in virtual time: 5 ms each way between any two routers, and between a peer and the rendezvous.";

const TASKS: Readonly<Record<string, Task>> = {
  docs: { about: "both worlds, N times in the kernel: writes docs/grid.md and docs/grid.svg", count: KERNEL_RUNS, run: writeDocs },
  simulator: { about: "every pair N times in the simulator", count: SIMULATOR_RUNS, run: async (count) => cellTable(await runGrid(count)) },
  kernel: { about: "every pair N times in the kernel lab", count: KERNEL_RUNS, run: async (count) => cellTable(await inKernel(count)) },
  population: { about: "N pairs of peers with the NATs that are found in the field", count: 4_000, run: populationReport },
};

const [name = "docs", count, ...rest] = process.argv.slice(2);
const task = Object.hasOwn(TASKS, name) && rest.length === 0 && /^[1-9]\d*$/.test(count ?? "1") ? TASKS[name] : undefined;
if (task) {
  process.stdout.write(`${await task.run(Number(count ?? task.count))}\n`);
} else {
  const known = Object.entries(TASKS).map(([name, { about, count }]) => `  ${`${name} [N]`.padEnd(16)}${about} (default ${count})\n`);
  process.stderr.write(`usage: npm run grid [-- WHAT [N]]\n${known.join("")}`);
  process.exitCode = 2;
}

async function writeDocs(count: number): Promise<string> {
  const kernel = { world: "kernel", about: KERNEL_ABOUT, cells: await inKernel(count) } as const;
  const simulator = { world: "simulator", about: SIMULATOR_ABOUT, cells: await runGrid(SIMULATOR_RUNS) } as const;
  const worlds: readonly WorldResult[] = [kernel, simulator];
  await writeFile("docs/grid.md", report(worlds));
  await writeFile("docs/grid.svg", picture(worlds));
  return "wrote docs/grid.md and docs/grid.svg";
}

async function inKernel(count: number) {
  const tools = await ensureTools();
  if (!tools.available) throw new Error(`the kernel lab cannot be made here: ${tools.reason}`);
  const cells = await runInKernel(count, AT_ONCE, (done, of) => {
    if (process.stderr.isTTY || done % 10 === 0) process.stderr.write(`${done} of ${of} cells\n`);
  });
  return cells;
}
