/**
 * Every pair gets through: where no hole can be made, over the relay, at once; and the session moves to a direct path when there is one, and
 * back when that dies.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { NatKindName } from "../grid/nat-kinds.js";
import { describeLab } from "./describe-lab.js";
import { Lab } from "./lab.js";
import { eventsOf, peerPing, type RunningPeer, startListener, startPing, startRendezvous } from "./programs.js";
import type { Site } from "./site.js";

const SERVER = ["--server", "ws://203.0.113.1:3478"];

/** From the first packet that nobody answers. */
const FALL_BACK_MS = 3_000;
/** Two busy cores run other tests meanwhile. */
const SLACK_MS = 500;

const CUT = "add table inet cut; add chain inet cut path { type filter hook forward priority -10; }";

describeLab("the relay", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.create();
    await startRendezvous(await lab.server("rendezvous", ["203.0.113.1", "198.51.100.1"]));
  });

  afterAll(() => lab?.close());

  const pair = async (connector: NatKindName, listener: NatKindName, ...options: string[]) => {
    const [here, there] = await Promise.all([lab.site(connector), lab.site(listener)]);
    return { here, there, listener: await startListener(there.host, ...SERVER, ...options) };
  };

  it.concurrent.each([
    ["symmetric", "symmetric", /neither port can be known/],
    ["port-restricted", "symmetric", /the symmetric side's port cannot be known/],
    ["udp-blocked", "port-restricted", /UDP is blocked on this side/],
    ["port-restricted", "udp-blocked", /UDP is blocked on the other side/],
    ["udp-blocked", "udp-blocked", /UDP is blocked on this side and the other side/],
  ] as const)("%s to %s: relayed, and told why", async (connector, listening, why) => {
    const { here, listener } = await pair(connector, listening);
    const ping = startPing(here.host, listener.ticket, "--interval", "0.2");
    expect(await ping.next("path")).toMatchObject({ kind: "relay", strategy: "relay", punchMs: null });
    expect(await ping.next("pong")).toMatchObject({ kind: "relay" });
    expect(await ping.next("reason", ({ text }) => why.test(text))).toMatchObject({ path: "relay" });
    expect(eventsOf("path", ping.events)).toHaveLength(1);
    await ends(ping);
  });

  it.concurrent("port-restricted pairs become direct, whatever came first", async () => {
    const { here, listener } = await pair("port-restricted", "port-restricted");
    const { code, events } = await peerPing(here.host, listener.ticket, "--count", "10", "--interval", "0.1");
    expect(code).toBe(0);
    expect(eventsOf("path", events).at(-1)).toMatchObject({ kind: "direct" });
    expect(eventsOf("pong", events).at(-1)).toMatchObject({ kind: "direct" });
  });

  it.concurrent("a listener that wants nothing else is relayed", async () => {
    const { here, listener } = await pair("open", "open", "--relay-only");
    const { code, events } = await peerPing(here.host, listener.ticket, "--count", "10", "--interval", "0.2");
    expect(code).toBe(0);
    expect(eventsOf("path", events)).toMatchObject([{ kind: "relay" }]);
  });

  it.concurrent("a listener that wants no relay is not reached rather", async () => {
    const { here, listener } = await pair("symmetric", "symmetric", "--direct-only");
    expect(await peerPing(here.host, listener.ticket)).toMatchObject({ code: 6 });
  });

  it.concurrent("a direct path that dies falls back within 3 s, and is punched again", async () => {
    const { here, there, listener } = await pair("port-restricted", "port-restricted");
    const ping = startPing(here.host, listener.ticket, "--interval", "0.1");
    await ping.next("path", ({ kind }) => kind === "direct");
    await sleep(1_000);
    await block(here, there);
    const blocked = performance.now();
    const { at } = await ping.next("pong", (pong) => pong.at > blocked && pong.kind === "relay");
    expect(at - blocked).toBeLessThan(FALL_BACK_MS + SLACK_MS);
    await unblock(here);
    const unblocked = performance.now();
    await ping.next("path", (path) => path.at > unblocked && path.kind === "direct", 40_000);
    await ends(ping);
  });

  it.concurrent("a session moves to a direct path when UDP opens", { timeout: 90_000 }, async () => {
    const { here, listener } = await pair("udp-blocked", "port-restricted");
    const ping = startPing(here.host, listener.ticket, "--interval", "0.2");
    expect(await ping.next("path")).toMatchObject({ kind: "relay" });
    await here.router.run(["nft", "delete chain ip awl forward"]);
    await ping.next("path", ({ kind }) => kind === "direct", 60_000);
    await ends(ping);
  });

  /** Nothing passes between the two sites any more; what goes to the rendezvous does. */
  const block = ({ router }: Site, { publicAddress }: Site) =>
    router.run(["nft", `${CUT}; ${["saddr", "daddr"].map((end) => `add rule inet cut path ip ${end} ${publicAddress} drop`).join("; ")}`]);
  const unblock = ({ router }: Site) => router.run(["nft", "delete table inet cut"]);

  async function ends({ child }: RunningPeer): Promise<void> {
    const ended = once(child, "close");
    child.kill("SIGTERM");
    await ended;
  }
});
