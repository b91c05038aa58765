import { classicName } from "@awl/nat-probe";
import type { ExpectedVerdict, Filtering, Mapping, RouterBehaviour } from "./nat-kinds.js";

const STRICTNESS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;

/** Several routers in a row map and filter as the strictest of them. */
export function strictest<Behaviour extends Filtering | Mapping>(behaviours: readonly Behaviour[]): Behaviour | undefined {
  return STRICTNESS.findLast((one) => behaviours.includes(one as Behaviour)) as Behaviour | undefined;
}

/** What a correct classifier says of a host behind these routers. */
export function verdictOn(layers: readonly RouterBehaviour[]): ExpectedVerdict {
  if (layers.some(({ udp }) => udp === "block")) return { type: "udp-blocked", mapping: "unknown", filtering: "unknown" };
  const mapping = strictest(layers.flatMap(({ nat }) => nat?.mapping ?? [])) ?? "none";
  const filtering = strictest(layers.map((layer) => layer.filtering)) ?? "endpoint-independent";
  return { type: classicName(mapping, filtering) as ExpectedVerdict["type"], mapping, filtering };
}
