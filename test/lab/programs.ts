/** The real programs, as a person would start them on a host of the lab. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Report } from "@awl/nat-probe";
import type { SessionEvent } from "@awl/peer";
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

/** What `peer --json` tells, and when we heard it: a moment of `performance.now()`. */
export type PeerEvent = { readonly at: number } & (
  | { readonly event: "ticket"; readonly ticket: string }
  | ({ readonly event: "nat" } & Report)
  | Extract<SessionEvent, { event: "path" | "reason" | "pong" | "closed" }>
);

export type PeerEventOf<Name extends PeerEvent["event"]> = Extract<PeerEvent, { event: Name }>;

/** A `peer` that runs. */
export interface RunningPeer {
  readonly child: ChildProcess;
  /** Grows. */
  readonly events: readonly PeerEvent[];
  /** What it said on stderr that is no event. */
  readonly complaints: readonly string[];
  /** The first event of that name, come or to come, that is `wanted`. Rejects if it does not come in time. */
  next<Name extends PeerEvent["event"]>(
    name: Name,
    wanted?: (event: PeerEventOf<Name>) => boolean,
    timeoutMs?: number,
  ): Promise<PeerEventOf<Name>>;
}

export interface RunningListener extends RunningPeer {
  readonly ticket: string;
}

/** Starts `peer listen --json`; fulfilled when it has printed its ticket. */
export async function startListener(host: Host, ...options: string[]): Promise<RunningListener> {
  const peer = startPeer(host, "listen", ...options);
  const { ticket } = await peer.next("ticket");
  return { ...peer, ticket };
}

/** Starts a `peer ping --json` that goes on until it is stopped, unless the options say otherwise. */
export function startPing(host: Host, ticket: string, ...options: string[]): RunningPeer {
  return startPeer(host, "ping", ...options, ticket);
}

export interface PingResult {
  /** `null`: it did not end by itself. */
  readonly code: number | null;
  readonly ms: number;
  readonly events: readonly PeerEvent[];
  /** What it said on stderr that is no event. */
  readonly stderr: string;
}

/** Runs `peer ping --json` to its end, which is its first reply unless the options have another --count. */
export async function peerPing(host: Host, ticket: string, ...options: string[]): Promise<PingResult> {
  const started = performance.now();
  const { child, events, complaints } = startPing(host, ticket, ...(options.includes("--count") ? [] : ["--count", "1"]), ...options);
  const timer = setTimeout(() => child.kill("SIGKILL"), PING_PATIENCE_MS);
  const [code] = (await once(child, "close").finally(() => clearTimeout(timer))) as [number | null];
  return { code, ms: performance.now() - started, events, stderr: complaints.map((line) => `${line}\n`).join("") };
}

/** All events of that name. */
export function eventsOf<Name extends PeerEvent["event"]>(name: Name, events: readonly PeerEvent[]): PeerEventOf<Name>[] {
  return events.filter((event): event is PeerEventOf<Name> => event.event === name);
}

/** The lab's /run is the lab's alone: no `peer` in it takes the identity of the person who runs the tests. */
const CONFIG_HOME = "/run/config";

const PING_PATIENCE_MS = 60_000;

function startPeer(host: Host, command: "listen" | "ping", ...args: string[]): RunningPeer {
  const child = host.spawn([process.execPath, bin("peer"), command, "--json", ...args], { env: { XDG_CONFIG_HOME: CONFIG_HOME } });
  child.stdout.resume();
  const events: PeerEvent[] = [];
  const complaints: string[] = [];
  const watchers = new Set<() => void>();
  const lines = createInterface(child.stderr);
  lines.on("line", (line) => {
    if (line.startsWith("{")) events.push({ ...JSON.parse(line), at: performance.now() });
    else complaints.push(line);
    for (const look of watchers) look();
  });
  const next: RunningPeer["next"] = (name, wanted = () => true, timeoutMs = 20_000) =>
    new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        watchers.delete(look);
        lines.off("close", ended);
        outcome();
      };
      const fail = (what: string) => settle(() => reject(new Error(`${what}, and no ${name}: ${JSON.stringify([complaints, events])}`)));
      const ended = () => fail("the command ended");
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      const look = () => {
        const found = eventsOf(name, events).find(wanted);
        if (found) settle(() => resolve(found));
      };
      watchers.add(look);
      lines.once("close", ended);
      look();
    });
  return { child, events, complaints, next };
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
