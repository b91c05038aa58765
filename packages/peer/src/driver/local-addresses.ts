import { networkInterfaces } from "node:os";
import { type AddressFamily, addressFamily, canonicalAddress, classifyAddress } from "@awl/wire";

/** More than that, and it is a server full of container bridges, which no peer could tell apart anyway. */
const MAX_OFFERED = 6;

/** The addresses of this host, as they are now. */
export interface LocalAddresses {
  /** All of them, loopback included: what no peer may make us send to. */
  readonly own: ReadonlySet<string>;
  /** Those worth telling a peer: not loopback, and not link-local, which mean nothing elsewhere. */
  readonly offered: readonly string[];
  readonly families: readonly AddressFamily[];
}

export function localAddresses(): LocalAddresses {
  const all = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => canonicalAddress(address)));
  const offered = all.filter((address) => !["loopback", "link-local"].includes(classifyAddress(address))).slice(0, MAX_OFFERED);
  const families = ([4, 6] as const).filter((family) => offered.some((address) => addressFamily(address) === family));
  return { own: new Set(all), offered, families };
}
