import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../../bin/peer.js", import.meta.url));
const BUILT = existsSync(new URL("../../dist/cli/main.js", import.meta.url));

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    encoding: "utf8",
    env: { ...process.env, AWL_SERVER: "" },
  });
  return { status, stdout, stderr };
}

/** A build is needed: `npm test` makes one. In CI its absence is a failure. */
describe.skipIf(!BUILT && !process.env.CI)("the command line, built", { timeout: 20_000 }, () => {
  test.each([
    [["connect", "T", "--server", "ws://127.0.0.1:1"], "peer: 'peer connect' is not built yet"],
    [["listen"], "peer: listen needs a rendezvous: --server URL, or AWL_SERVER in the environment"],
    [["connect", "T", "--direct-only", "--relay-only"], "peer: --direct-only contradicts --relay-only"],
    [["lisen"], "peer: unknown command 'lisen' (Did you mean listen?)"],
    [["listen", "--onec"], "peer: unknown option '--onec' (Did you mean --once?)"],
    [["connect"], "peer: missing required argument 'ticket'"],
    [["connect", "T", "U"], "peer: too many arguments for 'connect'. Expected 1 argument but got 2."],
    [[], "peer: no command given; 'peer --help' lists them"],
    [["--"], "peer: no command given; 'peer --help' lists them"],
  ])("%j exits 2 with one line", (args, line) => {
    expect(run(...args)).toEqual({ status: 2, stdout: "", stderr: `${line}\n` });
  });

  test.each([[["--help"]], [["forward", "--help"]], [["--version"]], [["ping", "--version"]]])("%j exits 0", (args) => {
    expect(run(...args)).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/\S/) });
  });
});
