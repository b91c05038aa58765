/**
 * The NAT kinds of the lab, as data. Words are RFC 4787's: how a router maps, how it filters,
 * how it allocates ports. ruleset.ts turns a behaviour into nftables; nothing here knows about it.
 */

export type Mapping = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
export type Filtering = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";

/** How a router picks the external endpoint of a flow. */
export type Translation =
  | { readonly mapping: "endpoint-independent" | "address-dependent"; readonly allocation: "preserving" | "random" }
  // A port kept for every destination would be an endpoint-independent mapping.
  | { readonly mapping: "address-and-port-dependent"; readonly allocation: "random" };

export interface RouterTraits {
  /**
   * What becomes of a WAN packet that nothing asked for. A router that confirms it keeps a
   * conntrack entry for it, and a later flow from inside to the same peer gets another port.
   */
  readonly unsolicited: "drop" | "confirm";
  readonly udp: "forward" | "block";
  /** How long an idle UDP mapping lives. RFC 4787 REQ-5 recommends five minutes or more. */
  readonly lifetimeSeconds: number;
  /** Whether what the LAN sends to the external address goes out and comes back in, as if somebody outside had sent it. */
  readonly hairpin: boolean;
}

/** One router: `nat: null` routes the LAN's own public prefix. */
export type RouterBehaviour = RouterTraits &
  (
    | { readonly nat: Translation; readonly filtering: Filtering }
    | { readonly nat: null; readonly filtering: "endpoint-independent" | "address-and-port-dependent" }
  );

/** The verdict that a correct classifier reaches from a host of the site. */
export interface ExpectedVerdict {
  readonly type: "open" | "full-cone" | "restricted-cone" | "port-restricted-cone" | "symmetric" | "symmetric-firewall" | "udp-blocked";
  readonly mapping: Mapping | "none" | "unknown";
  readonly filtering: Filtering | "unknown";
}

export interface NatKind {
  /** Routers between the Internet and the LAN, outermost first. */
  readonly layers: readonly [RouterBehaviour, ...RouterBehaviour[]];
  readonly expected: ExpectedVerdict;
}

/** The routers of a kind, each with these traits in place of its own. */
export const layersOf = (kind: NatKindName, traits: Partial<RouterTraits>): readonly RouterBehaviour[] =>
  NAT_KINDS[kind].layers.map((behaviour) => ({ ...behaviour, ...traits }));

const EI = "endpoint-independent";
const AD = "address-dependent";
const APD = "address-and-port-dependent";

const TRAITS = { unsolicited: "drop", udp: "forward", lifetimeSeconds: 300, hairpin: false } as const;

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

export type NatKindName =
  | "full-cone"
  | "address-restricted"
  | "port-restricted"
  | "symmetric"
  | "address-dependent-mapping"
  | "masquerade-input-drop"
  | "masquerade"
  | "udp-blocked"
  | "firewall"
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
    expected: { type: "port-restricted-cone", mapping: EI, filtering: APD },
  },
  symmetric: {
    layers: [{ ...PORT_RESTRICTED, nat: { mapping: APD, allocation: "random" } }],
    expected: { type: "symmetric", mapping: APD, filtering: APD },
  },
  "address-dependent-mapping": {
    layers: [{ ...PORT_RESTRICTED, nat: { mapping: AD, allocation: "random" } }],
    expected: { type: "symmetric", mapping: AD, filtering: APD },
  },
  // Linux as most home routers configure it: the firewall of the router itself is closed.
  "masquerade-input-drop": {
    layers: [MASQUERADE],
    expected: { type: "port-restricted-cone", mapping: EI, filtering: APD },
  },
  // Linux with nothing but the masquerade rule: same verdict, yet whoever is sent to first loses its port.
  masquerade: {
    layers: [{ ...MASQUERADE, unsolicited: "confirm" }],
    expected: { type: "port-restricted-cone", mapping: EI, filtering: APD },
  },
  "udp-blocked": {
    layers: [{ ...MASQUERADE, udp: "block" }],
    expected: { type: "udp-blocked", mapping: "unknown", filtering: "unknown" },
  },
  firewall: {
    layers: [{ ...TRAITS, nat: null, filtering: APD }],
    expected: { type: "symmetric-firewall", mapping: "none", filtering: APD },
  },
  open: {
    layers: [{ ...TRAITS, unsolicited: "confirm", nat: null, filtering: EI }],
    expected: { type: "open", mapping: "none", filtering: EI },
  },
  // A home router behind the carrier's own NAT (RFC 6598).
  cgn: {
    layers: [PORT_RESTRICTED, PORT_RESTRICTED],
    expected: { type: "port-restricted-cone", mapping: EI, filtering: APD },
  },
};

export const NAT_KIND_NAMES = Object.keys(NAT_KINDS) as readonly NatKindName[];
