/** The real programs, as a person would start them on a host of the lab. */
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@awl/nat-probe";
import { printed } from "./command.js";
import type { Host } from "./host.js";

/** Starts `rendezvous` on all addresses of the host; fulfilled when it answers. */
export async function startRendezvous(host: Host, ...options: string[]): Promise<ChildProcess> {
  const addresses = host.addresses.flatMap((address) => ["--host", address]);
  const child = host.spawn([process.execPath, bin("rendezvous"), ...addresses, "--json", ...options]);
  await printed(child, /"event":"listening"/);
  return child;
}

/** Starts coturn as a server of RFC 5780 on the host's first two addresses; fulfilled when it answers. */
export async function startCoturn(host: Host, port = 3478): Promise<ChildProcess> {
  const listeners = host.addresses.flatMap((address) => ["-L", address]);
  const ports = ["-p", `${port}`, "--alt-listening-port", `${port + 1}`];
  const plain = ["-n", "-S", "-z", "-m", "1", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--log-file", "stdout"];
  const child = host.spawn(["turnserver", ...listeners, ...ports, ...plain]);
  child.stdout.resume();
  // It does not say when it listens.
  const last = `${host.addresses.at(-1)}:${port + 1}`;
  const { code } = await host.run(["sh", "-c", `until ss -Hlun | grep -q '${last}'; do sleep 0.05; done`], { timeoutMs: 10_000 });
  if (code !== 0) throw new Error(`coturn does not listen on ${last}`);
  return child;
}

export interface ProbeResult {
  readonly code: number | null;
  readonly ms: number;
  readonly stderr: string;
  /** `undefined` where the program printed no document. */
  readonly report: Report | undefined;
}

/** Runs `nat-probe --json`. */
export async function natProbe(host: Host, ...args: string[]): Promise<ProbeResult> {
  const { code, ms, stdout, stderr } = await host.run([process.execPath, bin("nat-probe"), "--json", ...args]);
  return { code, ms, stderr, report: stdout === "" ? undefined : JSON.parse(stdout) };
}

/** The path of a program as npm installs it. */
export function bin(name: "nat-probe" | "peer" | "rendezvous"): string {
  return join(ROOT, "packages", name, "bin", `${name}.js`);
}

/** These files run as sources in tests and compiled in the demo: the repository is above both. */
const ROOT = (() => {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "tsconfig.base.json"))) directory = dirname(directory);
  return directory;
})();
