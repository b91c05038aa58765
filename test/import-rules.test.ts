/** Who may import whom, and what may happen in a pure file. Each rule says why it is there. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** Rooms that a room's sources may import; its own files it imports by relative paths. */
const MAY_IMPORT: Record<string, { rooms: string[]; because: string }> = {
  wire: { rooms: [], because: "it is the language that all others speak, and knows none of its speakers" },
  "nat-probe": { rooms: ["@awl/wire"], because: "a prober works against any STUN server, ours is one of many" },
  rendezvous: { rooms: ["@awl/wire"], because: "a server that knew its clients' code could not serve other clients" },
  peer: { rooms: ["@awl/wire", "@awl/nat-probe"], because: "a client must run without its server's package" },
};

/** What a driver or a command line may use. Pure files may use none of it. */
const DRIVER_LIBRARIES = ["commander", "dgram-as-promised", "pino", "ws"];

/** Node's modules that compute and touch nothing. */
const PURE_MODULES = ["node:crypto", "node:zlib"];

/** The outside world, in words. Time and randomness are arguments of a machine; sockets and timers are its driver's. */
const IMPURE =
  /\b(?:Date\b|performance\b|set(?:Timeout|Interval|Immediate)\b|queueMicrotask\b|Math\.random\b|process\b|console\b|fetch\b|random(?:Bytes|UUID|Int|FillSync)\b|webcrypto\b)/;

const sources = readdirSync(join(ROOT, "packages"), { recursive: true, encoding: "utf8" })
  .filter((path) => /^[^/]+\/src\/.*\.ts$/.test(path) && !/\.(?:test|test-support)\.ts$/.test(path))
  .map((path) => ({
    path: join("packages", path),
    room: path.split("/")[0] ?? "",
    text: readFileSync(join(ROOT, "packages", path), "utf8"),
  }));

test("there is something to check", () => {
  expect(new Set(sources.map(({ room }) => room))).toEqual(new Set(Object.keys(MAY_IMPORT)));
});

describe.each(Object.entries(MAY_IMPORT))("%s", (room, { rooms, because }) => {
  const files = sources.filter((source) => source.room === room);

  test(`imports ${rooms.join(" and ") || "no other room"}: ${because}`, () => {
    expect(violations(files, (target) => target.startsWith("@awl/") && !rooms.includes(target))).toEqual([]);
  });

  test("declares what it imports, and nothing else", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "packages", room, "package.json"), "utf8"));
    const imported = files
      .flatMap(({ text }) => importsOf(text))
      .filter((target) => !target.startsWith(".") && !target.startsWith("node:"));
    expect([...new Set(imported)].sort()).toEqual(Object.keys(dependencies).sort());
  });

  test("stays inside itself with relative imports: a package is what npm installs", () => {
    const home = join("packages", room, "src");
    const escapes = (target: string, path: string) =>
      target.startsWith(".") && relative(home, join(dirname(path), target)).startsWith("..");
    expect(violations(files, escapes)).toEqual([]);
  });
});

describe("pure files: all but driver/ and cli/, which is what lets one machine run in a simulator and in a kernel", () => {
  const pure = sources.filter(({ path }) => !/\/(?:driver|cli)\//.test(path));

  test("import no driver, no library of one, and no module of node that touches the world", () => {
    const impure = (target: string, path: string) =>
      DRIVER_LIBRARIES.includes(target) ||
      (target.startsWith("node:") && !PURE_MODULES.includes(target)) ||
      // A package's index shows its driver to users; that is its work.
      (/\/(?:driver|cli)\//.test(target) && !path.endsWith("src/index.ts"));
    expect(violations(pure, impure)).toEqual([]);
  });

  test("use no clock, timer, randomness or environment", () => {
    const found = pure.flatMap(({ path, text }) => {
      const word = IMPURE.exec(withoutCommentsAndStrings(text))?.[0];
      return word ? [`${path}: ${word}`] : [];
    });
    expect(found).toEqual([]);
  });
});

test("the checks see what they are meant to see", () => {
  expect(importsOf('import a from "x";\nexport * from "./y.js";\nawait import("z");\nimport {\n  b,\n} from "w";\nimport "v";')).toEqual([
    "x",
    "./y.js",
    "w",
    "v",
    "z",
  ]);
  const seen = (text: string) => IMPURE.test(withoutCommentsAndStrings(text));
  expect(["const now = Date.now();", "setTimeout(f)", "Math.random()", "randomBytes(3)"].map(seen)).toEqual([true, true, true, true]);
  expect(["// the Date of it", '"process"', "this.processed", "/* performance */ x"].map(seen)).toEqual([false, false, false, false]);
});

function violations(files: typeof sources, isForbidden: (target: string, path: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap((target) => (isForbidden(target, path) ? [`${path} imports ${target}`] : [])),
  );
}

function importsOf(text: string): string[] {
  const matches = [
    ...text.matchAll(/^(?:import|export)\b[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm),
    ...text.matchAll(/\bimport\("([^"]+)"\)/g),
  ];
  return matches.map(([, from, bare]) => from ?? bare ?? "");
}

function withoutCommentsAndStrings(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\.)*"/gm, "");
}
