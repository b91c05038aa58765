/** What a stranger relies on before any of our code runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Record<string, string>;
}

test("the lock file names no host", () => {
  const resolved = Object.values(locked()).flatMap(({ resolved }) => resolved ?? []);
  expect(resolved.filter((from) => !from.startsWith("packages/"))).toEqual([]);
});

test("the lock file has the binaries of all platforms, without which npm ci refuses it", () => {
  const paths = Object.keys(locked());
  const missing = Object.values(locked())
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
});

test.each(["README.md", "docs/development.md"])("every script that %s names exists", (page) => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = [...read(page).matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => name ?? "");
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

function locked(): Record<string, LockedPackage> {
  return JSON.parse(read("package-lock.json")).packages;
}
