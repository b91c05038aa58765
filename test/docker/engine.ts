/** Which container engine and which Compose there are. */
import { execFile } from "node:child_process";

export type EngineVerdict =
  | { readonly available: true /** What stands before Compose's own arguments. */; readonly compose: readonly [string, ...string[]] }
  | { readonly available: false; readonly reason: string };

/** Looks, and starts nothing: with-engine.sh does that. */
export async function checkEngine(): Promise<EngineVerdict> {
  if (process.platform === "win32") return { available: false, reason: "the routers need Linux containers" };
  const engine = await run(["docker", "info", "--format", "{{.OSType}}"]);
  // The client of an engine that does not answer exits 0 in some versions, with nothing to say about a system.
  if (engine.stdout.trim() !== "linux") return { available: false, reason: "no container engine answers (docker info)" };
  for (const compose of [["docker", "compose"], ["docker-compose"]] as const) {
    if ((await run([...compose, "version"])).code === 0) return { available: true, compose };
  }
  return { available: false, reason: "there is an engine, but no Compose (docker compose, docker-compose)" };
}

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. Its failure is a result. */
export function run([file, ...args]: readonly [string, ...string[]], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 600_000, maxBuffer: 2 ** 26 };
    execFile(file, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
