import {
  type AddressClass,
  type Cidr,
  cidrContains,
  classifyAddress,
  type Endpoint,
  embeddedIPv4,
  formatAddress,
  parseAddress,
} from "@awl/wire";
import { EndpointMap } from "./endpoint-map.js";

/**
 * What may be done with a peer address.
 * - `denied`: nothing.
 * - `relayed`: it is this server's own. What is sent to one of its relayed addresses is handed over in the process; nothing leaves.
 * - `foreign`: data may be sent to it.
 */
export type PeerVerdict = "denied" | "relayed" | "foreign";

export interface AddressPolicyOptions {
  /** Public addresses that relayed addresses are on. */
  readonly relayAddresses: readonly string[];
  /** Every address of this host, and the public ones of its 1:1 NAT. */
  readonly ownAddresses: readonly string[];
  /** What the server itself listens on, under every name it has. */
  readonly listening: readonly Endpoint[];
  /** Ranges opened by the operator. */
  readonly allowed: readonly Cidr[];
}

/**
 * Whom clients may have us send to: hosts of the public Internet, and no others unless the operator opened their range.
 *
 * A relay sends from inside the network it stands in: whatever it can reach and strangers cannot must be denied (loopback
 * services, metadata servers, routers, this very host), under every spelling that an address has.
 */
export class AddressPolicy {
  readonly #relays: ReadonlySet<string>;
  readonly #own: ReadonlySet<string>;
  readonly #listening = new EndpointMap<true>();
  readonly #allowed: readonly Opening[];

  constructor({ relayAddresses, ownAddresses, listening, allowed }: AddressPolicyOptions) {
    this.#relays = new Set(relayAddresses);
    this.#own = new Set([...ownAddresses, ...relayAddresses]);
    this.#allowed = allowed.map(opening);
    for (const endpoint of listening) this.#listening.set(endpoint, true);
  }

  /** `address`: canonical, as the codec reads it. */
  judge(address: string): PeerVerdict {
    if (this.#own.has(address)) return this.#isOwnOpen(address) ? "foreign" : this.#relays.has(address) ? "relayed" : "denied";
    return this.#isOpen(address) ? "foreign" : "denied";
  }

  /** Whether relayed addresses are on it. */
  hasRelays(address: string): boolean {
    return this.#relays.has(address);
  }

  /** Whether this is where the server itself listens: relaying there would let clients speak to it in its own name. */
  isListening(peer: Endpoint): boolean {
    return this.#listening.get(peer) !== undefined;
  }

  #isOpen(address: string): boolean {
    const kind = classifyAddress(address);
    if (NEVER.has(kind)) return false;
    const inner = embeddedIPv4(address);
    if (inner && !this.#isOpen(inner.address)) return false;
    return kind === "global" || this.#isAllowed(address, kind);
  }

  #isAllowed(address: string, kind: AddressClass): boolean {
    const bytes = parseAddress(address);
    const explicit = EXPLICIT.has(kind);
    return (
      bytes !== undefined && this.#allowed.some(({ block, kind: whole }) => cidrContains(block, bytes) && (!explicit || whole === kind))
    );
  }

  /** This host's own addresses: loopback ones like any others of loopback, and of the rest only one that was named alone. */
  #isOwnOpen(address: string): boolean {
    if (classifyAddress(address) === "loopback") return this.#isOpen(address);
    const bytes = parseAddress(address);
    return bytes !== undefined && this.#allowed.some(({ block }) => block.bits === 8 * block.bytes.length && cidrContains(block, bytes));
  }
}

/** A host sends to itself or to many under these, and to no peer: opened by nothing. */
const NEVER: ReadonlySet<AddressClass> = new Set(["unspecified", "multicast", "broadcast"]);

/** Opened only by a block that lies wholly inside: whoever opens 0.0.0.0/0 does not mean the services on this host's loopback. */
const EXPLICIT: ReadonlySet<AddressClass> = new Set(["loopback", "link-local"]);

/** A block that the operator opened, with the class that all of it has. */
interface Opening {
  readonly block: Cidr;
  readonly kind: AddressClass | undefined;
}

function opening(block: Cidr): Opening {
  const family = block.bytes.length === 4 ? 4 : 6;
  const last = block.bytes.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, block.bits - 8 * i))));
  const kind = classifyAddress(formatAddress(block.bytes, family));
  return { block, kind: kind === classifyAddress(formatAddress(last, family)) ? kind : undefined };
}
