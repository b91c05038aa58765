/** Two homes behind one carrier's NAT: it must not only translate, but lead them back to each other. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RouterTraits } from "../grid/nat-kinds.js";
import { printed } from "./command.js";
import { describeLab } from "./describe-lab.js";
import type { Host } from "./host.js";
import { Lab } from "./lab.js";
import { eventsOf, peerPing, startListener, startRendezvous } from "./programs.js";
import type { Site } from "./site.js";

const FIXTURES = new URL("fixtures", import.meta.url).pathname;
const REFLECTOR = "203.0.113.1:4000";

describeLab("a carrier", () => {
  let lab: Lab;
  let server: Host;

  beforeAll(async () => {
    lab = await Lab.create();
    server = await lab.server("server", ["203.0.113.1", "198.51.100.1"]);
    await startRendezvous(server, "--no-relay");
    await printed(server.spawn(["node", `${FIXTURES}/reflector.mjs`, "203.0.113.1", "4000"]), /reflecting/);
  });

  afterAll(() => lab?.close());

  const twoHomes = async (traits: Partial<RouterTraits>): Promise<[Site, Site]> => {
    const carrier = await lab.carrier("port-restricted", traits);
    return Promise.all([carrier.site("port-restricted"), carrier.site("port-restricted")]);
  };

  it("is shared by its homes, which have the same addresses inside", async () => {
    const [here, there] = await twoHomes({ hairpin: true });
    expect(here.host.address).toBe(there.host.address);
    expect(here.publicAddress).toBe(there.publicAddress);
    const seen = ({ host }: Site) => host.run(["node", `${FIXTURES}/seen.mjs`, REFLECTOR, "5000"]);
    const [a, b] = await Promise.all([seen(here), seen(there)]);
    expect([a, b].map(({ stdout }) => stdout.split(":")[0])).toEqual([here.publicAddress, here.publicAddress]);
    expect(a.stdout).not.toBe(b.stdout);
  });

  it.each([
    [true, "external endpoints see each other"],
    [false, "nothing arrives"],
  ])("with hairpin %s: %s", async (hairpin) => {
    const [here, there] = await twoHomes({ hairpin });
    const [a, b] = await Promise.all([here, there].map(({ host }) => punch(host)));
    if (!a || !b) throw new Error("two homes");
    a.child.stdin.write(`${b.seen}\n`);
    b.child.stdin.write(`${a.seen}\n`);
    const heard = await Promise.all([a, b].map(({ child }) => printed(child, /from (\S+)|nobody/)));
    expect(heard.map(([, from]) => from)).toEqual(hairpin ? [b.seen, a.seen] : [undefined, undefined]);
  });

  it("with a hairpin lets its homes connect directly", async () => {
    const [here, there] = await twoHomes({ hairpin: true });
    const listener = await startListener(there.host, "--server", "ws://203.0.113.1:3478");
    const { code, stderr, events } = await peerPing(here.host, listener.ticket, ...["--count", "5", "--interval", "0.2"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const address = here.publicAddress;
    expect(eventsOf("path", events)).toMatchObject([
      { kind: "direct", strategy: "hairpin", pair: { local: { address }, remote: { address } } },
    ]);
  });

  it("without one its homes are not connected, and told so", async () => {
    const [here, there] = await twoHomes({});
    const listener = await startListener(there.host, "--server", "ws://203.0.113.1:3478");
    const { code, events } = await peerPing(here.host, listener.ticket);
    expect(code).toBe(6);
    expect(eventsOf("path", events)).toEqual([]);
  });
});

/** A socket that knows how it is seen, waits to be told of another, and then sends there until it has heard something. */
async function punch(host: Host) {
  const child = host.spawn(["node", `${FIXTURES}/punch.mjs`, REFLECTOR]);
  const [, seen = ""] = await printed(child, /seen (\S+)/);
  return { child, seen };
}
