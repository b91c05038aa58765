import { classifyAddress, type Endpoint, endpointFamily } from "@awl/wire";

/** The four endpoints of a server that supports behaviour discovery. RFC 5780 section 6. */
export interface BehaviorServer {
  /** The one that was asked first. */
  readonly primary: Endpoint;
  /** Same address, other port. */
  readonly otherPort: Endpoint;
  /** Other address, same port. */
  readonly otherAddress: Endpoint;
  /** Other address, other port: the server's OTHER-ADDRESS. */
  readonly other: Endpoint;
}

/**
 * The server behind a first answer, if its OTHER-ADDRESS can be used: servers exist that name themselves,
 * only another port, a private address behind a public one, or nonsense, and each would make a wrong verdict.
 */
export function behaviorServer(primary: Endpoint, other: Endpoint | undefined): BehaviorServer | undefined {
  if (!other || endpointFamily(other) !== endpointFamily(primary)) return undefined;
  if (other.address === primary.address || other.port === primary.port || other.port === 0) return undefined;
  if (!isAsReachableAs(other.address, primary.address)) return undefined;
  return {
    primary,
    otherPort: { address: primary.address, port: other.port },
    otherAddress: { address: other.address, port: primary.port },
    other,
  };
}

/** A lab's server may well live in private space, but then all of it does; a public server's second address is public. */
function isAsReachableAs(other: string, primary: string): boolean {
  const kind = classifyAddress(other);
  if (kind === "multicast" || kind === "broadcast" || kind === "unspecified") return false;
  if (kind === "loopback") return classifyAddress(primary) === "loopback";
  return kind === "global" || classifyAddress(primary) !== "global";
}
