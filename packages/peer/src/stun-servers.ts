import { type AddressClass, addressFamily, classifyAddress, type Endpoint } from "@awl/wire";

/**
 * The STUN servers of a rendezvous, one a family, IPv4 first: that which the connection to it has shown to be there, and of the other
 * family one that it names.
 */
export function stunServers(reached: string, named: readonly string[], port: number): Endpoint[] {
  const family = addressFamily(reached);
  const other = named.find((address) => addressFamily(address) !== family && isReachableFrom(address, classifyAddress(reached)));
  return [reached, ...(other === undefined ? [] : [other])]
    .sort((a, b) => addressFamily(a) - addressFamily(b))
    .map((address) => ({ address, port }));
}

/** From the Internet nobody is led into a network of their own: such an address is no more than what its host calls itself. */
export function isReachableFrom(address: string, reached: AddressClass): boolean {
  const named = classifyAddress(address);
  return named === reached || named === "global" || (reached !== "global" && !INWARD.includes(named));
}

/** What means something else, or nothing, elsewhere. */
const INWARD: readonly AddressClass[] = ["loopback", "link-local", "unspecified", "multicast", "broadcast"];
