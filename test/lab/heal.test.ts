/**
 * Stay connected: whatever happens to a living session, pings are answered again in time. Every test has a rendezvous and two sites
 * of its own. AWL_LAB_SLOW=1 (and CI) adds what takes minutes.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { NatKindName, RouterTraits } from "../grid/nat-kinds.js";
import { describeLab } from "./describe-lab.js";
import { Lab } from "./lab.js";
import { eventsOf, type RunningPeer, startListener, startPing, startRendezvous } from "./programs.js";

const SLOW = process.env.AWL_LAB_SLOW === "1" || process.env.CI === "true";

/** Two busy cores run other tests meanwhile. */
const SLACK_MS = 500;

const HEAL_MS = 3_000;
/** Who has lost the rendezvous waits up to 5 s before trying again; a connector that is back before its listener waits 2 s more. */
const RECONNECT_MS = 10_000;

describeLab("a session", () => {
  let lab: Lab;
  let servers = 0;
  const healed: string[] = [];

  beforeAll(async () => {
    lab = await Lab.create();
  });

  afterAll(async () => {
    await lab?.close();
    process.stderr.write(`\nhealed after, ms: ${healed.join("; ")}\n`);
  });

  (SLOW ? it.concurrent : it.skip)("survives two idle minutes where a mapping lives 20 s", { timeout: 200_000 }, async () => {
    const { ping } = await connect("port-restricted", ["--interval", "130", "--count", "2"], { lifetimeSeconds: 20 });
    const [code] = await once(ping.child, "close");
    expect({ code, complaints: ping.complaints }).toEqual({ code: 0, complaints: [] });
    expect(eventsOf("pong", ping.events)).toHaveLength(2);
    expect(eventsOf("path", ping.events)).toHaveLength(1);
  });

  it.concurrent.each(["port-restricted", "masquerade"] as const)(
    "%s: heals when the mappings are lost under traffic, again and again",
    async (kind) => {
      const { ping, forget } = await connect(kind);
      await heals(ping, await forget("udp"), HEAL_MS, kind);
      await sleep(1_000);
      await heals(ping, await forget("udp"), HEAL_MS, `${kind}, again`);
    },
  );

  it.concurrent("heals when the routers forget the connections to the rendezvous too", async () => {
    const { ping, forget } = await connect("port-restricted");
    await heals(ping, await forget("all"), HEAL_MS, "connections to the rendezvous forgotten too");
  });

  it.concurrent("does not notice that the rendezvous is gone, or back; and heals again then", async () => {
    const { ping, rendezvous, forget } = await connect("port-restricted");
    const killed = performance.now();
    await rendezvous.kill();
    await sleep(4_000);
    await rendezvous.start();
    await sleep(1_000);
    expect(longestSilence(ping, killed)).toBeLessThan(HEAL_MS);
    expect(eventsOf("path", ping.events)).toHaveLength(1);
    await heals(ping, await forget("udp"), RECONNECT_MS, "after a restart of the rendezvous");
  });

  it.concurrent("whose path is lost while there is no rendezvous is back soon after that", async () => {
    const { ping, rendezvous, forget } = await connect("port-restricted");
    await rendezvous.kill();
    await forget("udp");
    await sleep(5_000);
    await rendezvous.start();
    await heals(ping, performance.now(), RECONNECT_MS, "since the rendezvous is back");
  });

  it.concurrent("ends when the listener says goodbye", async () => {
    const { ping, listener } = await connect("port-restricted");
    const ended = once(ping.child, "close");
    listener.child.kill("SIGTERM");
    const [code] = await ended;
    expect({ code, complaints: ping.complaints }).toEqual({ code: 0, complaints: [] });
    expect(eventsOf("closed", ping.events)).toMatchObject([{ code: "closed" }]);
  });

  it.concurrent("is looked for when the listener was killed, and ends when one of that identity does not know it", async () => {
    const { ping, listener, restartListener } = await connect("port-restricted");
    listener.child.kill("SIGKILL");
    await once(listener.child, "close");
    await sleep(5_000);
    expect(ping.child.exitCode).toBe(null);
    const ended = once(ping.child, "close");
    const restarted = performance.now();
    await restartListener();
    const [code] = await ended;
    expect(performance.now() - restarted).toBeLessThan(RECONNECT_MS + SLACK_MS);
    expect({ code, complaints: ping.complaints }).toEqual({ code: 0, complaints: [] });
    expect(eventsOf("closed", ping.events)).toMatchObject([{ code: "gone" }]);
  });

  /** A ping that goes on, and has been answered for a while. */
  async function connect(kind: NatKindName, options = ["--interval", "0.1"], traits: Partial<RouterTraits> = {}) {
    const number = ++servers;
    const server = await lab.server(`rendezvous${number}`, [`203.0.113.${number}`, `198.51.100.${number}`]);
    const [here, there] = await Promise.all([lab.site(kind, traits), lab.site(kind, traits)]);
    let program = await startRendezvous(server, "--no-relay");
    const rendezvous = {
      kill: () => lab.stop(program, "SIGKILL"),
      start: async () => {
        program = await startRendezvous(server, "--no-relay");
      },
    };
    const restartListener = () =>
      startListener(there.host, "--server", `ws://${server.address}:3478`, "--identity", `/run/${there.name}.json`);
    const listener = await restartListener();
    const ping = startPing(here.host, listener.ticket, ...options);
    await ping.next("pong");
    if (options.includes("0.1")) await sleep(1_000);
    /** Flushes both sites; fulfilled with the moment after. */
    const forget = async (what: "all" | "udp") => {
      await Promise.all([here.flush(what), there.flush(what)]);
      return performance.now();
    };
    return { ping, listener, restartListener, rendezvous, forget };
  }

  async function heals(ping: RunningPeer, since: number, withinMs: number, what: string): Promise<void> {
    const { at } = await ping.next("pong", ({ at, rttMs }) => at - rttMs > since, 2 * withinMs);
    healed.push(`${Math.round(at - since)} (${what})`);
    expect(at - since).toBeLessThan(withinMs + SLACK_MS);
  }
});

/** Milliseconds without a reply, at most, since a moment. */
function longestSilence({ events }: RunningPeer, since: number): number {
  const moments = [since, ...eventsOf("pong", events).map(({ at }) => at), performance.now()].filter((at) => at >= since);
  return Math.max(...moments.map((at, index) => at - (moments[index - 1] ?? at)));
}
