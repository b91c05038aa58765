/**
 * What one box of the compose lab has to set up, printed for box.sh: `node box.js nat-a`. The boxes are wired as the lab of
 * namespaces is (test/lab/lab.ts has the map), with the same addresses and the same NATs.
 */
import { KERNEL_KIND_NAMES, layersOf, NAT_KINDS, type NatKindName, type RouterBehaviour, ruleset } from "./nat.js";

/** The kind of NAT that each site is behind. */
export type Kinds = Readonly<Record<Site, NatKindName>>;

export type Site = (typeof SITES)[number];

/** A service of docker-compose.yml that is made of network only. */
export type BoxName = "server" | "internet" | `${"carrier" | "nat" | "machine"}-${Site}`;

/** The environment's NAT_A and NAT_B. @throws {RangeError} for a kind that there is not, or that containers cannot be. */
export function kindsFrom(env: Readonly<Record<string, string | undefined>>): Kinds {
  return { a: kind("NAT_A", env.NAT_A), b: kind("NAT_B", env.NAT_B) };
}

/** Two layers at most, no box loops packets back or routes IPv6, and how long a flow lives is written in docker-compose.yml. */
export const BOXED_KINDS: readonly NatKindName[] = KERNEL_KIND_NAMES.filter((name) => {
  const layers = layersOf(name, {});
  const fits = layers.every(({ hairpin, lifetimeSeconds }) => !hairpin && lifetimeSeconds === 300);
  return fits && layers.length <= 2 && NAT_KINDS[name].ipv6 === undefined;
});

/** Lines for box.sh: `cable ID INTERFACE NEIGHBOUR ADDRESS...`, `route DESTINATION GATEWAY`, `rules` with nftables text, `say TEXT`. */
export function setUp(box: BoxName, kinds: Kinds): string {
  const world = SITES.flatMap((site) => wires(site, kinds[site]));
  const own = [BACKBONE, ...world].flatMap(({ id, ends: [one, other] }) => [
    ...(one.box === box ? [plugged(id, one, other.box)] : []),
    ...(other.box === box ? [plugged(id, other, one.box)] : []),
  ]);
  return [...own.flat(), ...rules(box, kinds), ""].join("\n");
}

const SITES = ["a", "b"] as const;

/** Where a cable is plugged in. Every subnet is a /24. */
interface End {
  readonly box: BoxName;
  readonly interface: string;
  readonly addresses: readonly string[];
  readonly routes?: readonly (readonly [destination: string, gateway: string])[];
}

interface Wire {
  /** Of the VXLAN: no two cables have the same. */
  readonly id: number;
  readonly ends: readonly [End, End];
}

/** Two addresses, as RFC 5780 wants them of a server. */
const BACKBONE: Wire = {
  id: 1,
  ends: [
    { box: "internet", interface: "servers", addresses: ["203.0.113.254", "198.51.100.254"] },
    { box: "server", interface: "wan", addresses: ["203.0.113.1", "198.51.100.1"], routes: [["default", "203.0.113.254"]] },
  ],
};

/** The cables from the Internet to a site's machine, through one router or two. */
function wires(site: Site, kind: NatKindName): Wire[] {
  const chain = routersOf(site, kind);
  const cables: Wire[] = [];
  let outside: End = {
    box: "internet",
    interface: `site-${site}`,
    addresses: [`${publicPrefix(site)}.254`],
    routes: chain.flatMap(({ behaviour }) =>
      behaviour.nat === null ? [[`${routedPrefix(site)}.0/24`, wanAddress(site, 0)] as const] : [],
    ),
  };
  for (const [depth, { box, behaviour }] of chain.entries()) {
    const address = wanAddress(site, depth);
    const inside = { box, interface: "wan", addresses: [address], routes: [["default", gatewayOf(address)]] } as const;
    cables.push({ id: cableId(site, depth), ends: [outside, inside] });
    const prefix = behaviour.nat === null ? routedPrefix(site) : depth === chain.length - 1 ? "192.168.1" : "100.64.0";
    outside = { box, interface: "lan", addresses: [`${prefix}.254`] };
  }
  const [gateway = ""] = outside.addresses;
  const address = gateway.replace(/254$/, "10");
  const machine: End = { box: `machine-${site}`, interface: "lan", addresses: [address], routes: [["default", gateway]] };
  return [...cables, { id: cableId(site, chain.length), ends: [outside, machine] }];
}

/** Outermost first: the home's own, behind the carrier's if there are two. */
function routersOf(site: Site, kind: NatKindName): { box: BoxName; behaviour: RouterBehaviour }[] {
  const layers = layersOf(kind, {});
  return layers.map((behaviour, depth) => ({ box: depth === layers.length - 1 ? `nat-${site}` : `carrier-${site}`, behaviour }));
}

function plugged(id: number, end: End, neighbour: BoxName): string[] {
  const addresses = end.addresses.map((address) => `${address}/24`);
  return [
    `cable ${id} ${end.interface} ${neighbour} ${addresses.join(" ")}`,
    ...(end.routes ?? []).map(([destination, gateway]) => `route ${destination} ${gateway}`),
  ];
}

function rules(box: BoxName, kinds: Kinds): string[] {
  for (const site of SITES) {
    const chain = routersOf(site, kinds[site]);
    const depth = chain.findIndex((router) => router.box === box);
    const behaviour = chain[depth]?.behaviour;
    if (behaviour === undefined) continue;
    const address = wanAddress(site, depth);
    const what = chain.length === 1 ? kinds[site] : `${kinds[site]}, layer ${depth + 1} of ${chain.length}`;
    return [`say '${what} at ${address}'`, "rules <<'NFT'", ruleset(behaviour, address), "NFT"];
  }
  return box.startsWith("carrier") ? ["say 'not in use: this site has one layer of NAT'"] : [];
}

/** 198.18.0.0/15 (RFC 2544), as in the lab of namespaces. */
const publicPrefix = (site: Site) => `198.18.${SITES.indexOf(site) + 1}`;
const routedPrefix = (site: Site) => `198.19.${SITES.indexOf(site) + 1}`;
const wanAddress = (site: Site, depth: number) => (depth === 0 ? `${publicPrefix(site)}.1` : "100.64.0.1");
const gatewayOf = (address: string) => address.replace(/\d+$/, "254");
const cableId = (site: Site, depth: number) => 10 * (SITES.indexOf(site) + 1) + depth;

function kind(variable: string, name = "port-restricted"): NatKindName {
  const known = BOXED_KINDS.find((candidate) => candidate === name);
  if (known === undefined) throw new RangeError(`${variable}=${name}: the kinds of NAT are ${BOXED_KINDS.join(", ")}`);
  return known;
}
