/** How a NAT chooses the public endpoint of a socket. RFC 4787 section 4.1. `none`: there is no NAT. */
export type Mapping = "endpoint-independent" | "address-dependent" | "address-and-port-dependent" | "none" | "unknown";

/** Whom a NAT or firewall lets in on a port that was opened from inside. RFC 4787 section 5. */
export type Filtering = "endpoint-independent" | "address-dependent" | "address-and-port-dependent" | "unknown";

/** The names that people use. RFC 3489 section 5, and what it has no name for. */
export type NatType =
  | "open"
  | "full-cone"
  | "restricted-cone"
  | "port-restricted-cone"
  | "symmetric"
  | "symmetric-firewall"
  | "udp-blocked"
  | "unknown";

/**
 * The classic name nearest to the two axes, which are the truth: the old names cannot say, for instance,
 * how a NAT with dependent mapping filters, so each such NAT is `symmetric`.
 */
export function classicName(mapping: Mapping, filtering: Filtering): NatType {
  switch (mapping) {
    case "unknown":
      return "unknown";
    case "none":
      return WITHOUT_NAT[filtering];
    case "endpoint-independent":
      return CONES[filtering];
    default:
      return "symmetric";
  }
}

const CONES = {
  "endpoint-independent": "full-cone",
  "address-dependent": "restricted-cone",
  "address-and-port-dependent": "port-restricted-cone",
  unknown: "unknown",
} as const;

const WITHOUT_NAT = {
  "endpoint-independent": "open",
  "address-dependent": "symmetric-firewall",
  "address-and-port-dependent": "symmetric-firewall",
  unknown: "unknown",
} as const;
