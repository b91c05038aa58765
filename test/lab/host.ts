import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { RunOptions, RunResult, SpawnOptions } from "./command.js";
import type { World } from "./world.js";

/** A machine of the lab: a network namespace with addresses, in which commands run. */
export class Host {
  readonly name: string;
  readonly addresses: readonly [string, ...string[]];
  readonly #world: World;

  constructor(world: World, name: string, addresses: readonly [string, ...string[]]) {
    this.#world = world;
    this.name = name;
    this.addresses = addresses;
  }

  get address(): string {
    return this.addresses[0];
  }

  /** Runs a command to its end. A command that fails or times out is a result, not an error. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return this.#world.run(this.name, argv, options);
  }

  /** Starts a command with piped stdio. `kill` on it reaches the command itself; the lab ends it at the latest. */
  spawn(argv: readonly string[], options?: SpawnOptions): ChildProcessWithoutNullStreams {
    return this.#world.spawn(this.name, argv, options);
  }
}
