/** docker-compose.yml, as `npm run test:docker` runs it: a project of its own, beside one that a person may have up. */
import { join } from "node:path";
import type { Report } from "@awl/nat-probe";
import type { PeerEvent } from "../lab/programs.js";
import { type EngineVerdict, run } from "./engine.js";
import type { NatKindName } from "./nat.js";

const FILE = join(import.meta.dirname, "../../docker-compose.yml");

/** The other half of TEST-NET-1. */
const ENVIRONMENT = { AWL_CABLES: "192.0.2.128/25", AWL_FLAGS: "--json" };

/** How the programs of the lab ended that do end. */
export interface Outcome {
  readonly probes: readonly [a: Report, b: Report];
  readonly peer: { readonly code: number; readonly events: readonly PeerEvent[] };
}

/** The part of `docker inspect` that is asked for here. */
export interface Inspection {
  readonly Config: { readonly User: string };
  readonly HostConfig: {
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[] | null;
    readonly Privileged: boolean;
  };
}

export class Compose {
  readonly #command: readonly [string, ...string[]];
  readonly #project: string;
  /** By service. */
  #containers: ReadonlyMap<string, string> = new Map();

  constructor(engine: Extract<EngineVerdict, { available: true }>, project: string) {
    this.#command = [...engine.compose, "--file", FILE, "--project-name", project];
    this.#project = project;
  }

  async build(): Promise<void> {
    await this.#compose(["build"]);
  }

  /** Brings everything up, and waits until the probes and the connecting peer have ended. `down` ends the rest. */
  async connect(a: NatKindName, b: NatKindName): Promise<Outcome> {
    await this.#compose(["up", "--detach"], { NAT_A: a, NAT_B: b });
    this.#containers = await this.#find();
    const [probeA, probeB, peer] = await Promise.all([this.#ended("probe-a"), this.#ended("probe-b"), this.#ended("peer-a")]);
    return {
      probes: [JSON.parse(probeA.stdout), JSON.parse(probeB.stdout)],
      peer: { code: peer.code, events: peer.stderr.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : [])) },
    };
  }

  /** What the engine says of a service's container. */
  async inspect(service: string): Promise<Inspection> {
    return JSON.parse((await docker(["inspect", "--format", "{{json .}}", this.#container(service)])).stdout);
  }

  /** Runs a command in the container of a service. */
  async exec(service: string, ...argv: readonly string[]): Promise<string> {
    return (await docker(["exec", this.#container(service), ...argv])).stdout;
  }

  /** Leaves nothing but the images. */
  async down(): Promise<void> {
    await this.#compose(["down", "--volumes", "--timeout", "1"]);
  }

  async #ended(service: string) {
    const container = this.#container(service);
    const code = Number((await docker(["wait", container])).stdout);
    return { ...(await docker(["logs", container])), code };
  }

  #container(service: string): string {
    const container = this.#containers.get(service);
    if (container === undefined) throw new Error(`no container of ${service}`);
    return container;
  }

  async #find(): Promise<ReadonlyMap<string, string>> {
    const format = '{{.Label "com.docker.compose.service"}} {{.ID}}';
    const mine = `label=com.docker.compose.project=${this.#project}`;
    const { stdout } = await docker(["ps", "--all", "--filter", mine, "--format", format]);
    return new Map(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ") as [string, string]),
    );
  }

  async #compose(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    return succeeded(await run([...this.#command, ...args], { ...ENVIRONMENT, ...env }));
  }
}

const docker = async (args: readonly string[]) => succeeded(await run(["docker", ...args]));

function succeeded<R extends { code: number; stdout: string; stderr: string }>(result: R): R {
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${result.stderr.trim().split("\n").slice(-20).join("\n")}`);
  return result;
}
