/** `npm run grid -- WHAT [N]`: the grid, or a population of peers, in the simulator. */
import { populationReport } from "./population-report.js";
import { simulatorReport } from "./simulator-report.js";

type Report = (count: number) => Promise<string>;

const REPORTS: Readonly<Record<string, { readonly about: string; readonly count: number; readonly make: Report }>> = {
  simulator: { about: "every pair of NAT kinds, N times", count: 20, make: simulatorReport },
  population: { about: "N pairs of peers with the NATs that are found in the field", count: 4_000, make: populationReport },
};

const [name = "", count, ...rest] = process.argv.slice(2);
const report = Object.hasOwn(REPORTS, name) && rest.length === 0 && /^[1-9]\d*$/.test(count ?? "1") ? REPORTS[name] : undefined;
if (report) {
  process.stdout.write(`${await report.make(Number(count ?? report.count))}\n`);
} else {
  const known = Object.entries(REPORTS).map(([name, { about, count }]) => `  ${`${name} [N]`.padEnd(16)}${about} (default ${count})\n`);
  process.stderr.write(`usage: npm run grid -- WHAT [N]\n${known.join("")}`);
  process.exitCode = 2;
}
