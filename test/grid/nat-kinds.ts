/**
 * The kinds of NAT of the grid, as data. Words are RFC 4787's: how a router maps, how it filters, how it allocates ports.
 * The kernel lab makes nftables of a behaviour (test/lab/ruleset.ts), the simulator a box in virtual time (test/sim/nat.ts);
 * nothing here knows about either.
 */

export type Mapping = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
export type Filtering = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";

/** How a router picks the external endpoint of a flow. */
export type Translation = (
  | { readonly mapping: "endpoint-independent" | "address-dependent"; readonly allocation: "preserving" | "random" | "sequential" }
  // A port kept for every destination would be an endpoint-independent mapping.
  | { readonly mapping: "address-and-port-dependent"; readonly allocation: "random" | "sequential" }
) & {
  /** External addresses, of which each new mapping gets any: "arbitrary" pooling, RFC 4787 section 4.1. @default 1 */
  readonly pool?: number;
  /** Gives two inside hosts with the same port the same external one, told apart by whom they talk to. RFC 4787 section 4.2.2. @default false */
  readonly overloads?: boolean;
};

export interface RouterTraits {
  /**
   * What becomes of a WAN packet that nothing asked for. A router that confirms it keeps a
   * conntrack entry for it, and a later flow from inside to the same peer gets another port.
   */
  readonly unsolicited: "drop" | "confirm";
  readonly udp: "forward" | "block";
  /** How long an idle UDP mapping lives. RFC 4787 REQ-5 recommends five minutes or more. */
  readonly lifetimeSeconds: number;
  /** Whether what comes in makes a mapping live longer, too, or only what goes out. RFC 4787 section 4.3. */
  readonly refresh: "both" | "outbound";
  /** Whether what the LAN sends to the external address goes out and comes back in, as if somebody outside had sent it. */
  readonly hairpin: boolean;
}

/** One router: `nat: null` routes the LAN's own public prefix. */
export type RouterBehaviour = RouterTraits &
  ({ readonly nat: Translation; readonly filtering: Filtering } | { readonly nat: null; readonly filtering: Filtering });

/** The verdict that a correct classifier reaches from a host of the site. */
export interface ExpectedVerdict {
  readonly type: "open" | "full-cone" | "restricted-cone" | "port-restricted-cone" | "symmetric" | "symmetric-firewall" | "udp-blocked";
  readonly mapping: Mapping | "none" | "unknown";
  readonly filtering: Filtering | "unknown";
}

export interface NatKind {
  /** Routers between the Internet and the LAN, outermost first. */
  readonly layers: readonly [RouterBehaviour, ...RouterBehaviour[]];
  /** What stands between the LAN's own IPv6 prefix and the Internet. @default there is no IPv6 */
  readonly ipv6?: RouterBehaviour;
  /** Over IPv4. */
  readonly expected: ExpectedVerdict;
  /** Why the kernel lab does not have it. */
  readonly simulatorOnly?: string;
}

/** The routers of a kind, each with these traits in place of its own. */
export const layersOf = (kind: NatKindName, traits: Partial<RouterTraits>): readonly RouterBehaviour[] =>
  NAT_KINDS[kind].layers.map((behaviour) => ({ ...behaviour, ...traits }));

const EI = "endpoint-independent";
const AD = "address-dependent";
const APD = "address-and-port-dependent";

const TRAITS = { unsolicited: "drop", udp: "forward", lifetimeSeconds: 300, refresh: "both", hairpin: false } as const;

const PORT_RESTRICTED = {
  ...TRAITS,
  nat: { mapping: EI, allocation: "random" },
  filtering: APD,
} as const satisfies RouterBehaviour;

const MASQUERADE = {
  ...TRAITS,
  nat: { mapping: EI, allocation: "preserving" },
  filtering: APD,
} as const satisfies RouterBehaviour;

const SYMMETRIC = {
  ...PORT_RESTRICTED,
  nat: { mapping: APD, allocation: "random" },
} as const satisfies RouterBehaviour;

const FIREWALL = { ...TRAITS, nat: null, filtering: APD } as const satisfies RouterBehaviour;

/** What every NAT with a dependent mapping is called. */
const SYMMETRIC_VERDICT = { type: "symmetric", mapping: APD, filtering: APD } as const;
const PORT_RESTRICTED_VERDICT = { type: "port-restricted-cone", mapping: EI, filtering: APD } as const;

export type NatKindName =
  | "full-cone"
  | "address-restricted"
  | "port-restricted"
  | "symmetric"
  | "symmetric-sequential"
  | "symmetric-pooled"
  | "address-dependent-mapping"
  | "masquerade-input-drop"
  | "masquerade"
  | "hairpinning"
  | "short-lifetime"
  | "port-overloading"
  | "udp-blocked"
  | "firewall"
  | "ipv6-firewall"
  | "open"
  | "cgn";

export const NAT_KINDS: Readonly<Record<NatKindName, NatKind>> = {
  "full-cone": {
    layers: [{ ...PORT_RESTRICTED, filtering: EI }],
    expected: { type: "full-cone", mapping: EI, filtering: EI },
  },
  "address-restricted": {
    layers: [{ ...PORT_RESTRICTED, filtering: AD }],
    expected: { type: "restricted-cone", mapping: EI, filtering: AD },
  },
  "port-restricted": {
    layers: [PORT_RESTRICTED],
    expected: PORT_RESTRICTED_VERDICT,
  },
  symmetric: {
    layers: [SYMMETRIC],
    expected: SYMMETRIC_VERDICT,
  },
  // A quarter of the symmetric NATs of carriers: the next port is near the last one.
  "symmetric-sequential": {
    layers: [{ ...SYMMETRIC, nat: { mapping: APD, allocation: "sequential" } }],
    expected: SYMMETRIC_VERDICT,
  },
  // A fifth of them: not even the address that the peer will see is known.
  "symmetric-pooled": {
    layers: [{ ...SYMMETRIC, nat: { mapping: APD, allocation: "random", pool: 4 } }],
    expected: SYMMETRIC_VERDICT,
    simulatorOnly: "the lab's routers have one external address",
  },
  "address-dependent-mapping": {
    layers: [{ ...PORT_RESTRICTED, nat: { mapping: AD, allocation: "random" } }],
    expected: { type: "symmetric", mapping: AD, filtering: APD },
  },
  // Linux as most home routers configure it: the firewall of the router itself is closed.
  "masquerade-input-drop": {
    layers: [MASQUERADE],
    expected: PORT_RESTRICTED_VERDICT,
  },
  // Linux with nothing but the masquerade rule: same verdict, yet whoever is sent to first loses its port.
  masquerade: {
    layers: [{ ...MASQUERADE, unsolicited: "confirm" }],
    expected: PORT_RESTRICTED_VERDICT,
  },
  hairpinning: {
    layers: [{ ...PORT_RESTRICTED, hairpin: true }],
    expected: PORT_RESTRICTED_VERDICT,
  },
  // The shortest mapping lifetime in the field.
  "short-lifetime": {
    layers: [{ ...PORT_RESTRICTED, lifetimeSeconds: 20 }],
    expected: PORT_RESTRICTED_VERDICT,
  },
  "port-overloading": {
    layers: [{ ...MASQUERADE, nat: { mapping: EI, allocation: "preserving", overloads: true } }],
    expected: PORT_RESTRICTED_VERDICT,
    simulatorOnly: "Linux overloads a port only where it cannot be told from outside",
  },
  "udp-blocked": {
    layers: [{ ...MASQUERADE, udp: "block" }],
    expected: { type: "udp-blocked", mapping: "unknown", filtering: "unknown" },
  },
  firewall: {
    layers: [FIREWALL],
    expected: { type: "symmetric-firewall", mapping: "none", filtering: APD },
  },
  // As phones are: on IPv4 behind the worst that a carrier has, on IPv6 behind nothing but a firewall.
  "ipv6-firewall": {
    layers: [SYMMETRIC],
    ipv6: FIREWALL,
    expected: SYMMETRIC_VERDICT,
  },
  open: {
    layers: [{ ...TRAITS, unsolicited: "confirm", nat: null, filtering: EI }],
    expected: { type: "open", mapping: "none", filtering: EI },
  },
  // A home router behind the carrier's own NAT (RFC 6598).
  cgn: {
    layers: [PORT_RESTRICTED, PORT_RESTRICTED],
    expected: PORT_RESTRICTED_VERDICT,
  },
};

export const NAT_KIND_NAMES = Object.keys(NAT_KINDS) as readonly NatKindName[];

/** Those that the kernel lab has, too. */
export const KERNEL_KIND_NAMES = NAT_KIND_NAMES.filter((kind) => NAT_KINDS[kind].simulatorOnly === undefined);
