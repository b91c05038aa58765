import { networkInterfaces } from "node:os";

/** Every address of every interface of this host that is up. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
}
