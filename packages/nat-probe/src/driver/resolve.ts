import { lookup } from "node:dns/promises";
import { type AddressFamily, canonicalAddress, type Endpoint, sameEndpoint } from "@awl/wire";
import { NatProbeError } from "../errors.js";
import type { Target } from "../target.js";

/** A name with many addresses stands for one service: the first few do. */
const ADDRESSES_PER_NAME = 2;

/**
 * The endpoints of these servers, in their order, without repetitions, all of one family: the wanted one,
 * else IPv4 where any server has it, since that is where the NATs are.
 *
 * @throws {NatProbeError} `unresolvable` if no endpoint is left
 */
export async function resolveTargets(
  targets: readonly Target[],
  family?: AddressFamily,
): Promise<{ family: AddressFamily; servers: Endpoint[] }> {
  const results = await Promise.allSettled(targets.map((target) => resolveTarget(target)));
  const all = results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  for (const candidate of family ? [family] : ([4, 6] as const)) {
    const servers = all.filter((found) => found.family === candidate).map(({ endpoint }) => endpoint);
    const distinct = servers.filter((endpoint, i) => servers.findIndex((other) => sameEndpoint(other, endpoint)) === i);
    if (distinct.length > 0) return { family: candidate, servers: distinct };
  }
  const names = targets.map(({ host }) => host).join(", ");
  throw new NatProbeError("unresolvable", all.length > 0 ? `no IPv${family} address: ${names}` : `cannot resolve: ${names}`);
}

async function resolveTarget({ host, port }: Target): Promise<{ family: AddressFamily; endpoint: Endpoint }[]> {
  const found = await lookup(host, { all: true });
  const families = [4, 6] as const;
  return families.flatMap((family) =>
    found
      .filter((entry) => entry.family === family)
      .slice(0, ADDRESSES_PER_NAME)
      .map(({ address }) => ({ family, endpoint: { address: canonicalAddress(address), port } })),
  );
}
