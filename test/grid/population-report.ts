import { inParallel } from "../sim/parallel.js";
import type { AccessNetwork, MeetingResult } from "../sim/population.js";
import { table } from "../table.js";
import { quantile, wilson } from "./statistics.js";

const POPULATIONS: readonly { readonly name: string; readonly accesses: readonly (readonly [AccessNetwork, AccessNetwork])[] }[] = [
  { name: "fixed lines", accesses: [["fixed", "fixed"]] },
  { name: "phones", accesses: [["cellular", "cellular"]] },
  {
    name: "half of each",
    accesses: [
      ["fixed", "fixed"],
      ["fixed", "cellular"],
      ["cellular", "fixed"],
      ["cellular", "cellular"],
    ],
  },
];

const PUBLISHED = `Published, and how it was measured:
  70 % +- 7.1 %   libp2p's DCUtR, its punching stage alone, in IPFS's network: 4.4 million attempts between real peers behind real NATs, over
                  TCP and QUIC; 97.6 % of the successes on the first attempt. Trautwein et al., arXiv 2510.27500 (2025).
  over 80 %       of the attempts between peers whose NATs or firewalls should allow it, which 64 % of all peers had, in a real network of
                  peers. Halkes and Pouwelse, NETWORKING 2011.
  67 %            would be the pairs of two of the NATs of Ford et al., of which 82 % can be punched (USENIX 2005), drawn blindly.
  over 90 %       of Tailscale's connections "under normal conditions" (its own account, 2025): with IPv6, port mappings and
                  neighbours in one LAN, which nobody has here.
They are not the same experiment. Here NATs are drawn from published shares (test/sim/population.ts, where what had to be assumed is
said), behave as RFC 4787 describes them and never fail, lines are made up, and the time begins when both sides know each other's
endpoints. In the field there are broken NATs, overloaded lines and peers that leave; but also IPv6 and NATs that filter less.
A relay or port prediction, which Awl does not have yet, would change these figures.`;

/** How many of a population's pairs connect, how fast, and why the others do not, beside what others have published. */
export async function populationReport(pairs: number): Promise<string> {
  const rows: string[][] = [];
  const details: string[] = [];
  for (const { name, accesses } of POPULATIONS) {
    const meetings = Array.from({ length: pairs }, (_, seed) => {
      const [connector, listener] = accesses[seed % accesses.length] as readonly [AccessNetwork, AccessNetwork];
      return { connector, listener, seed };
    });
    const results = await inParallel("meeting", meetings);
    rows.push(rowOf(name, results));
    details.push(detailsOf(name, results));
  }
  const head = ["peers", "pairs", "direct", "95 % interval", "of those that can", "on the first try", "median ms", "p95 ms", "p99 ms"];
  return [table([head, ...rows]), "", ...details, "", PUBLISHED].join("\n");
}

function rowOf(name: string, results: readonly MeetingResult[]): string[] {
  const direct = results.filter((result) => result.direct);
  const { low, high } = wilson(direct.length, results.length);
  const punchMs = direct.map((result) => result.punchMs);
  return [
    name,
    String(results.length),
    percent(direct.length / results.length),
    `${percent(low)} - ${percent(high)}`,
    percent(direct.length / results.filter(({ isForeseen }) => isForeseen).length),
    percent(direct.filter(({ tries }) => tries === 1).length / direct.length),
    ...[0.5, 0.95, 0.99].map((share) => quantile(share, punchMs).toFixed(0)),
  ];
}

/** Each strategy with its share and its times, then each reason with its share. */
function detailsOf(name: string, results: readonly MeetingResult[]): string {
  const strategies = [...groupBy(results, ({ direct, strategy }) => (direct ? strategy : undefined))].map(([strategy, those]) => {
    const punchMs = those.map((result) => result.punchMs);
    const [median, p95] = [quantile(0.5, punchMs), quantile(0.95, punchMs)].map((ms) => ms.toFixed(0));
    return `${strategy} ${percent(those.length / results.length)} (median ${median} ms, p95 ${p95} ms)`;
  });
  const reasons = [...groupBy(results, ({ why }) => why)].map(([why, those]) => `${why} ${percent(those.length / results.length)}`);
  return `${name}: direct by ${strategies.join(", ")}; not, because ${reasons.join(", ")}`;
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key | undefined): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
