/**
 * Commands inside a world, seen from outside. To enter a pid namespace nsenter must fork, so the
 * process that node started is a bystander which waits and then ends as its child ended: with its
 * exit code, or by its signal. Signals are therefore sent to the child, by its pid out here.
 */
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export interface SpawnOptions {
  /** Laid over the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** @default the working directory of this process */
  readonly cwd?: string;
}

export interface RunOptions extends SpawnOptions {
  /** The command and what it started in its process group is then killed. @default 30000 */
  readonly timeoutMs?: number;
  readonly input?: string | Uint8Array;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  readonly timedOut: boolean;
}

/** Makes `child.kill` reach the command itself instead of the nsenter that waits for it. */
export function killForReal<C extends ChildProcess>(child: C): C {
  child.kill = (signal = "SIGTERM") => {
    const pid = child.exitCode === null && child.signalCode === null ? childOf(child.pid) : undefined;
    if (pid === undefined) return false;
    try {
      return process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  };
  return child;
}

/** Waits for a command to end and returns what it said. */
export async function collect(child: ChildProcessWithoutNullStreams, options: RunOptions): Promise<RunResult> {
  const started = performance.now();
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  // A command is free not to read its input.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, options.timeoutMs ?? 30_000);
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { code, signal, stdout: stdout(), stderr: stderr(), ms: performance.now() - started, timedOut };
  } finally {
    clearTimeout(timer);
  }
}

/** Sends `signal`, and SIGKILL to the whole process group if that is not obeyed. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals, graceMs: number): Promise<Exit> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    child.kill(signal);
    const timer = setTimeout(() => killGroup(child), graceMs);
    await exited.finally(() => clearTimeout(timer));
  }
  return { code: child.exitCode, signal: child.signalCode };
}

/**
 * The first match of `pattern` in what a command prints, on either stream. Both streams are
 * drained from then on, so that a talkative server never blocks on a full pipe.
 */
export function printed(child: ChildProcessWithoutNullStreams, pattern: RegExp, timeoutMs = 10_000): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      for (const stream of [child.stdout, child.stderr]) stream.off("data", read).resume();
      child.off("close", closed);
      outcome();
    };
    const fail = (what: string) => settle(() => reject(new Error(`${what} before it printed ${pattern}:\n${text}`)));
    const closed = () => fail("the command ended");
    const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const match = text.match(pattern);
      if (match) settle(() => resolve(match));
    };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", read);
    child.once("close", closed);
  });
}

/** The pid, as seen from here, of the only child of process `pid`: waits the instant until it has forked. */
export function childOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  for (const deadline = Date.now() + 1000; Date.now() < deadline; ) {
    try {
      const child = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"), 10);
      if (child > 0) return child;
      // A zombie has no command line: it failed before it forked, or its child has come and gone.
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8") === "") return undefined;
    } catch {
      return undefined;
    }
    // `kill` is synchronous, so this has to be.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
  return undefined;
}

/** Every command leads a process group of its own, with its nsenter: one signal ends them together. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
