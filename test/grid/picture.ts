import { expectationOf } from "../grid.js";
import { NAT_KIND_NAMES, NAT_KINDS } from "./nat-kinds.js";
import { MARKS, type WorldResult } from "./report.js";
import { type CellResult, isExpected } from "./result.js";

const CELL = 40;
const LEFT = 215;
const TOP = 190;

/** docs/grid.svg: one square a cell, from the kernel where the kernel has it. Light and dark. */
export function picture(worlds: readonly WorldResult[]): string {
  const kinds = NAT_KIND_NAMES;
  const size = kinds.length * CELL;
  const squares = kinds.flatMap((row, y) =>
    kinds.map((column, x) => {
      const found = worlds
        .map(({ world, cells }) => ({ world, result: cells.find((cell) => cell.connector === row && cell.listener === column) }))
        .find(({ result }) => result);
      return found?.result ? square(x, y, found.result, found.world) : "";
    }),
  );
  const labels = kinds.flatMap((kind, i) => {
    const style = NAT_KINDS[kind].simulatorOnly === undefined ? "" : ' class="simulated"';
    const middle = i * CELL + CELL / 2;
    return [
      `<text${style} x="${LEFT - 10}" y="${TOP + middle}" text-anchor="end" dominant-baseline="central">${kind}</text>`,
      `<text${style} transform="translate(${LEFT + middle} ${TOP - 10}) rotate(-55)">${kind}</text>`,
    ];
  });
  const [width, height] = [LEFT + size + 90, TOP + size + 70];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>The NAT grid: which kinds of NAT connect with which</title>
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}"/>
${labels.join("\n")}
${squares.join("\n")}
${legend(TOP + size + 30)}
</svg>
`;
}

const STYLE = `
.paper { fill: #ffffff } text { fill: #1f2328 } .simulated { font-style: italic; fill: #656d76 }
.direct { fill: #2da44e } .none { fill: #d8dee4 } .wrong { fill: #cf222e } .luck { fill: #d4a72c }
.in { fill: #ffffff; font-size: 12px; text-anchor: middle; dominant-baseline: central } .none + .in { fill: #57606a }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117 } text { fill: #e6edf3 } .simulated { fill: #8b949e }
.direct { fill: #238636 } .none { fill: #30363d } .wrong { fill: #da3633 } .luck { fill: #9e6a03 }
.in { fill: #ffffff } .none + .in { fill: #8b949e }
}`.trim();

function square(x: number, y: number, result: CellResult, world: string): string {
  const { connector, listener, outcome, successes, runs, medianMs } = result;
  const expected = expectationOf([connector, listener]);
  const kind = isExpected(result) ? expected.outcome : "wrong";
  const text = expected.outcome !== "direct" && outcome === "none" ? MARKS[expected.reason] : medianMs.toFixed(0);
  const [left, top] = [LEFT + x * CELL, TOP + y * CELL];
  const half = CELL / 2;
  const time = successes > 0 ? `, median ${medianMs.toFixed(1)} ms` : "";
  const title = `${connector} to ${listener}: ${successes} of ${runs} direct${time} (${world})`;
  return `<g><title>${title}</title><rect class="${kind}" x="${left + 1}" y="${top + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="5"/><text class="in" x="${left + half}" y="${top + half}">${text}</text></g>`;
}

function legend(y: number): string {
  const entries = [
    ["direct", "direct: median ms to punch"],
    ["none", "no direct path: S one side symmetric, SS both, U UDP blocked"],
    ["luck", "as the dice fall"],
    ["", "in italics: simulated"],
  ] as const;
  let x = LEFT - 150;
  return entries
    .map(([kind, text]) => {
      const style = kind === "" ? ' class="simulated"' : "";
      const at = x;
      x += 40 + text.length * 6.2;
      const sample = kind === "" ? "" : `<rect class="${kind}" x="${at}" y="${y - 8}" width="16" height="16" rx="3"/>`;
      return `${sample}<text${style} x="${at + 22}" y="${y}" dominant-baseline="central">${text}</text>`;
    })
    .join("\n");
}
