/**
 * A world of its own for each lab: user, network, mount and pid namespaces, made by one `unshare`,
 * as root too. Its init blocks on a pipe that this process holds. However this process ends, kill -9
 * included, the pipe closes, init exits, and the kernel kills the rest of the pid namespace and frees
 * every network in it. Nothing has to be cleaned up, and nothing in it can reach the host's network.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { childOf, collect, killForReal, type RunOptions, type RunResult, type SpawnOptions } from "./command.js";
import { SEARCH_PATH, UNSHARE } from "./tools.js";

/**
 * /run is hidden so that `ip netns` keeps its names in here, and servers their pid files.
 * Orphans end up with init, which never waits: with SIGCHLD ignored the kernel reaps them.
 */
const INIT = `
mount -t tmpfs lab /run
mkdir /run/netns
echo up
exec env --ignore-signal=CHLD cat >/dev/null
`;

export class World {
  readonly #unshare: ChildProcessWithoutNullStreams;
  readonly #init: number;
  readonly #commands = new Set<ChildProcess>();
  #closing: Promise<void> | undefined;

  static async create(): Promise<World> {
    const [file, ...flags] = UNSHARE;
    const unshare = spawn(file, [...flags, "sh", "-euc", INIT], { env: environment({}), detached: true });
    let complaint = "";
    unshare.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk;
    });
    const ended = once(unshare, "exit").then(() => "ended" as const);
    const up = once(unshare.stdout, "data").then(() => "up" as const);
    const init = (await Promise.race([up, ended])) === "up" ? childOf(unshare.pid) : undefined;
    if (init === undefined) throw new Error(`no namespaces for a lab: ${complaint.trim()}`);
    // A lab that somebody forgot to close must not keep the process alive.
    unshare.unref();
    for (const pipe of [unshare.stdin, unshare.stdout, unshare.stderr]) (pipe as unknown as Socket).unref();
    return new World(unshare, init);
  }

  private constructor(unshare: ChildProcessWithoutNullStreams, init: number) {
    this.#unshare = unshare;
    this.#init = init;
  }

  /** Starts a command in network namespace `netns`. Its `kill` reaches the command; close() ends it. */
  spawn(netns: string, argv: readonly string[], options: SpawnOptions = {}): ChildProcessWithoutNullStreams {
    return this.#enter([`--net=/proc/${this.#init}/root/run/netns/${netns}`], argv, options);
  }

  /** Runs a command in network namespace `netns` to its end. A failure of the command is a result. */
  async run(netns: string, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return collect(this.spawn(netns, argv, options), options);
  }

  /** Runs a shell script above the named network namespaces. Its failure is an error. */
  async script(text: string): Promise<void> {
    const options = { input: text, cwd: "/" };
    const { code, signal, stderr } = await collect(this.#enter(["--net"], ["sh", "-eu"], options), options);
    if (code !== 0) throw new Error(`lab script failed (${signal ?? code}): ${stderr.trim()}`, { cause: text });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const children = [this.#unshare, ...this.#commands];
    const ended = children.map((child) => (hasEnded(child) ? undefined : once(child, "exit")));
    this.#unshare.ref();
    this.#unshare.stdin.end();
    await Promise.all(ended);
  }

  #enter(net: readonly string[], argv: readonly string[], options: SpawnOptions): ChildProcessWithoutNullStreams {
    if (this.#closing) throw new Error("the lab is closed");
    const namespaces = ["--user", "--preserve-credentials", "--mount", "--pid", ...net];
    // Entering a mount namespace ends in its root directory.
    const there = ["sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", options.cwd ?? process.cwd()];
    const child = spawn("nsenter", [`--target=${this.#init}`, ...namespaces, "--", ...there, ...argv], {
      env: environment(options.env),
      detached: true,
    });
    this.#commands.add(child);
    child.once("close", () => this.#commands.delete(child));
    return killForReal(child);
  }
}

const environment = (overrides: SpawnOptions["env"] = {}) => ({ ...process.env, PATH: SEARCH_PATH, ...overrides });

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
