import { addressFamily, classifyAddress, type Endpoint, sameEndpoint } from "@awl/wire";

/** RFC 8445 section 4. */
export type CandidateType = "host" | "server-reflexive" | "peer-reflexive" | "relayed";

/** An endpoint that a peer may be reached at. */
export interface Candidate extends Endpoint {
  readonly type: CandidateType;
}

/** More than honest peers have, and few enough that being aimed at them hurts nobody. */
export const MAX_REMOTE_CANDIDATES = 16;

/**
 * The candidates of a peer's that we are willing to send checks to: a hostile peer must not be able to aim us at ourselves,
 * at a whole network, or at more than a handful of strangers.
 *
 * @param own addresses of this host
 */
export function admitCandidates(offered: readonly Candidate[], own: ReadonlySet<string>): Candidate[] {
  const admitted: Candidate[] = [];
  for (const candidate of offered) {
    if (admitted.length === MAX_REMOTE_CANDIDATES) break;
    if (isAdmissible(candidate, own) && !admitted.some((known) => sameEndpoint(known, candidate))) admitted.push(candidate);
  }
  return admitted;
}

/** Whether checks may be sent to this endpoint at all. */
export function isAdmissible({ address, port }: Endpoint, own: ReadonlySet<string>): boolean {
  if (port === 0 || own.has(address)) return false;
  switch (classifyAddress(address)) {
    case "unspecified":
    case "loopback":
    case "multicast":
    case "broadcast":
    case "reserved":
    // Means something on one link only, and which one of ours the peer cannot say.
    case "link-local":
      return false;
    default:
      return true;
  }
}

/** Higher is better: the peer's own LAN address, IPv6, an address between the NATs, a public one, a relay. Design of the pairs: RFC 8445 section 5.1.2. */
export function rank(remote: Candidate): number {
  if (remote.type === "relayed") return 0;
  if (isInside(remote)) return remote.type === "host" ? 4 : 2;
  return addressFamily(remote.address) === 6 ? 3 : 1;
}

/** Whether an address lies inside some network, so that no NAT of the public Internet is on the way to it. */
export function isInside({ address }: Endpoint): boolean {
  const kind = classifyAddress(address);
  return kind === "private" || kind === "unique-local" || kind === "cgn";
}

/** How a pair came about, as events name it. */
export type Strategy = "lan" | "ipv6" | "hairpin" | "inside" | "open" | "relay";

/** `mapped`: what the peer saw us as on this pair. */
export function strategyOf(remote: Candidate, mapped: Endpoint): Strategy {
  if (remote.type === "relayed") return "relay";
  if (isInside(remote)) return remote.type === "host" ? "lan" : "inside";
  if (addressFamily(remote.address) === 6) return "ipv6";
  return remote.address === mapped.address ? "hairpin" : "open";
}
