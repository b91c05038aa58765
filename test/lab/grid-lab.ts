import { setTimeout as sleep } from "node:timers/promises";
import type { NatKindName } from "../grid/nat-kinds.js";
import { type Cell, type NoPath, REASON_TEXTS } from "../grid.js";
import type { Host } from "./host.js";
import { Lab } from "./lab.js";
import { eventsOf, type PeerEventOf, type PingResult, peerPing, type RunningListener, startListener, startRendezvous } from "./programs.js";
import type { Site } from "./site.js";

/** What one attempt to connect came to. */
export type Outcome =
  | { readonly outcome: "direct"; readonly path: PeerEventOf<"path"> }
  | { readonly outcome: "none"; readonly reason: NoPath | undefined; readonly text: string }
  /** Neither a path nor a reason, or one and complaints: what was seen. */
  | { readonly outcome: "broken"; readonly seen: string };

export type WhoIsFirst = "listener" | "connector";

/** Seconds that the connector may be there before its listener. */
const MAX_LEAD_S = 2;

const SERVER = ["--server", "ws://203.0.113.1:3478"];

/** One lab with a rendezvous that relays nothing, so that a pair that cannot punch has no path, and of each kind a site that connects and one that listens. */
export class GridLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly #connectors = new Map<NatKindName, Site>();
  readonly #listeners = new Map<NatKindName, RunningListener>();
  readonly #latecomers = new Map<NatKindName, Latecomer>();

  static async create(kinds: readonly NatKindName[]): Promise<GridLab> {
    const grid = new GridLab(await Lab.create());
    const { lab } = grid;
    try {
      await startRendezvous(await lab.server("rendezvous", ["203.0.113.1", "198.51.100.1", "2001:db8::1"]), "--no-relay");
      await Promise.all(kinds.map((kind) => grid.#add(kind)));
    } catch (error) {
      await lab.close();
      throw error;
    }
    return grid;
  }

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  /** `peer ping` from a site of the one kind to `peer listen` in one of the other. */
  async connect([connector, listener]: Cell, first: WhoIsFirst = "listener"): Promise<Outcome> {
    const host = of(this.#connectors, connector).host;
    if (first === "listener") return judge(await peerPing(host, of(this.#listeners, listener).ticket));
    const latecomer = of(this.#latecomers, listener);
    return judge(await latecomer.come(Math.random() * MAX_LEAD_S, () => peerPing(host, latecomer.ticket)));
  }

  /** From a second host of the site that the first is in. */
  async connectWithin(kind: NatKindName): Promise<{ outcome: Outcome; hosts: readonly Host[] }> {
    const site = of(this.#connectors, kind);
    const listener = await startListener(await site.addHost(), ...SERVER);
    // Long enough for a change of mind.
    const outcome = judge(await peerPing(site.host, listener.ticket, "--count", "10", "--interval", "0.2"));
    await this.lab.stop(listener.child);
    return { outcome, hosts: site.hosts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.close();
  }

  async #add(kind: NatKindName): Promise<void> {
    this.#connectors.set(kind, await this.lab.site(kind));
    const { host } = await this.lab.site(kind);
    this.#listeners.set(kind, await startListener(host, ...SERVER));
    this.#latecomers.set(kind, await Latecomer.at(this.lab, host, kind));
  }
}

function of<T>(all: ReadonlyMap<NatKindName, T>, kind: NatKindName): T {
  const found = all.get(kind);
  if (!found) throw new RangeError(`this lab has no ${kind}`);
  return found;
}

function judge({ code, events, stderr }: PingResult): Outcome {
  const paths = eventsOf("path", events);
  const [reason, ...more] = eventsOf("reason", events);
  const broken = { outcome: "broken", seen: JSON.stringify({ code, stderr, events }) } as const;
  if (!reason || more.length > 0) return broken;
  if (code === 0 && stderr === "" && reason.path === "direct" && paths.length === 1 && eventsOf("pong", events).length > 0) {
    const [path] = paths;
    return path?.kind === "direct" ? { outcome: "direct", path } : broken;
  }
  const { text } = reason;
  if (code !== 6 || reason.path !== "none" || paths.length > 0 || stderr !== `peer: ${text}\n`) return broken;
  const [known] = Object.entries(REASON_TEXTS).find(([, pattern]) => pattern.test(text)) ?? [];
  return { outcome: "none", reason: known as NoPath | undefined, text };
}

/** A listener of whom there is a ticket, and who starts when its connector is there already. For one connector at a time. */
class Latecomer {
  readonly ticket: string;
  readonly #start: () => Promise<RunningListener>;
  readonly #lab: Lab;
  #free: Promise<unknown> = Promise.resolve();

  private constructor(lab: Lab, ticket: string, start: () => Promise<RunningListener>) {
    this.#lab = lab;
    this.ticket = ticket;
    this.#start = start;
  }

  static async at(lab: Lab, host: Host, name: string): Promise<Latecomer> {
    const start = () => startListener(host, ...SERVER, "--identity", `/run/late-${name}.json`);
    const { ticket, child } = await start();
    await lab.stop(child);
    return new Latecomer(lab, ticket, start);
  }

  /** Does `before`, starts so much later, and stops when that is done. */
  come<T>(afterSeconds: number, before: () => Promise<T>): Promise<T> {
    const turn = this.#free.then(async () => {
      const done = before();
      await sleep(afterSeconds * 1_000);
      const { child } = await this.#start();
      return done.finally(() => this.#lab.stop(child));
    });
    this.#free = turn.catch(() => {});
    return turn;
  }
}
