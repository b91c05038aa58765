/** `npm run bench -- NAME`: one benchmark, our code beside what others have made, in one run. */

type Benchmark = (print: (line: string) => void) => void | Promise<void>;

/** Loaded when asked for: a benchmark's peers are not needed by the others. */
const BENCHMARKS: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<{ readonly run: Benchmark }> }>> = {
  probe: { about: "nat-probe beside coturn's natdiscovery, in the kernel lab", load: () => import("./probe.js") },
  relay: { about: "the relay beside coturn and a bare socket, CPU time a packet", load: () => import("./relay.js") },
  transport: { about: "the stream transport's CPU, without a network", load: () => import("./transport.js") },
  codec: { about: "STUN codec beside the npm package stun", load: () => import("./codec.js") },
};

const [name = "", ...rest] = process.argv.slice(2);
const benchmark = Object.hasOwn(BENCHMARKS, name) && rest.length === 0 ? BENCHMARKS[name] : undefined;
if (benchmark) {
  const { run } = await benchmark.load();
  await run((line) => void process.stdout.write(`${line}\n`));
} else {
  const known = Object.entries(BENCHMARKS).map(([name, { about }]) => `  ${name.padEnd(12)}${about}\n`);
  process.stderr.write(`usage: npm run bench -- NAME\n${known.join("")}`);
  process.exitCode = 2;
}
