/**
 * Is every NAT what its kind says? Two judges that do not know each other are asked from a host of
 * each site: bare datagrams to a reflector of our own, and coturn's RFC 5780 client against its server.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { KERNEL_KIND_NAMES, NAT_KINDS, type NatKindName, type RouterBehaviour, type Translation } from "../grid/nat-kinds.js";
import { printed } from "./command.js";
import { type CoturnVerdict, coturnVerdict } from "./coturn-verdict.js";
import { describeLab } from "./describe-lab.js";
import type { Host } from "./host.js";
import { Lab } from "./lab.js";
import { startCoturn } from "./programs.js";
import { EXTERNAL_PORTS, ruleset } from "./ruleset.js";
import type { Site } from "./site.js";

const ADDRESSES = ["203.0.113.1", "198.51.100.1"] as const;

interface RawVerdict {
  readonly mapping: string;
  readonly filtering: string;
  readonly inboundFirstRemaps: boolean | null;
  readonly localPort: number;
  /** What the reflector saw at three of its endpoints. */
  readonly seen: readonly string[];
}

describeLab("NAT kinds", () => {
  let lab: Lab;
  let server: Host;
  let sites: ReadonlyMap<NatKindName, Site>;
  let raw: ReadonlyMap<NatKindName, RawVerdict>;
  let coturn: ReadonlyMap<NatKindName, CoturnVerdict>;

  beforeAll(async () => {
    lab = await Lab.create();
    server = await lab.server("judge", ADDRESSES);
    sites = new Map(await Promise.all(KERNEL_KIND_NAMES.map(async (kind) => [kind, await lab.site(kind)] as const)));
    const each = async <T>(ask: (site: Site) => Promise<T>) =>
      new Map(await Promise.all([...sites].map(async ([kind, site]) => [kind, await ask(site)] as const)));

    const reflector = [ADDRESSES.join(","), "4000,4001"];
    await printed(server.spawn(["node", `${FIXTURES}/reflector.mjs`, ...reflector]), /reflecting/);
    raw = await each(async ({ host }) => JSON.parse((await host.run(["node", `${FIXTURES}/judge.mjs`, ...reflector])).stdout));

    await startCoturn(server);
    coturn = await each((site) => coturnVerdict(site, ADDRESSES[0]));
  });

  afterAll(() => lab?.close());

  it.each(KERNEL_KIND_NAMES)("%s: bare datagrams agree", (kind) => {
    const { mapping, filtering } = NAT_KINDS[kind].expected;
    expect(raw.get(kind)).toMatchObject({ mapping, filtering });
  });

  it.each(KERNEL_KIND_NAMES)("%s: coturn agrees", (kind) => {
    const { mapping, filtering } = NAT_KINDS[kind].expected;
    expect(coturn.get(kind)).toEqual({ mapping, filtering });
  });

  it.each(KERNEL_KIND_NAMES)("%s: ports are allocated as it says", (kind) => {
    const { localPort, seen } = raw.get(kind) as RawVerdict;
    const { nat, udp } = NAT_KINDS[kind].layers[0];
    if (udp === "block") return expect(seen).toEqual([null, null, null]);
    for (const endpoint of seen) {
      const [address, port] = endpoint.split(":");
      expect(address).toBe(sites.get(kind)?.publicAddress);
      if (nat === null || nat.allocation === "preserving") expect(Number(port)).toBe(localPort);
      else expect(Number(port)).toSatisfy((port: number) => port >= EXTERNAL_PORTS.first && port <= EXTERNAL_PORTS.last);
    }
  });

  it("only a router that confirms what nobody asked for remaps the flow that follows", () => {
    const remapping = KERNEL_KIND_NAMES.filter((kind) => raw.get(kind)?.inboundFirstRemaps);
    expect(remapping).toEqual(["masquerade"]);
  });

  it("every mapping composes with every filtering", async () => {
    for (const behaviour of everyBehaviour()) {
      const check = await server.run(["nft", "--check", "-f", "-"], { input: ruleset(behaviour, "198.18.1.1") });
      expect(check, JSON.stringify(behaviour)).toMatchObject({ code: 0, stderr: "" });
    }
  });
});

const FIXTURES = new URL("fixtures", import.meta.url).pathname;

function everyBehaviour(): RouterBehaviour[] {
  const independent = "endpoint-independent";
  const address = "address-dependent";
  const port = "address-and-port-dependent";
  const translations: Translation[] = [
    { mapping: independent, allocation: "preserving" },
    { mapping: independent, allocation: "random" },
    { mapping: address, allocation: "preserving" },
    { mapping: address, allocation: "random" },
    { mapping: port, allocation: "random" },
    { mapping: port, allocation: "sequential" },
  ];
  const traits = { unsolicited: "drop", udp: "forward", lifetimeSeconds: 30, refresh: "both" } as const;
  return translations.flatMap((nat) =>
    [independent, address, port].flatMap((filtering) =>
      [false, true].map((hairpin) => ({ ...traits, hairpin, nat, filtering }) as RouterBehaviour),
    ),
  );
}
