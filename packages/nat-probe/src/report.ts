import { type Endpoint, formatEndpoint } from "@awl/wire";
import { classicName, type Filtering, type Mapping, type NatType } from "./behavior.js";
import type { Evidence } from "./machine/evidence.js";
import { summarize } from "./summary.js";

/**
 * The document that `nat-probe --json` prints. What was not measured is `null` or `"unknown"`, never guessed.
 * Fields may be added under the same `schemaVersion`; none is removed or changes its meaning.
 */
export interface Report {
  readonly schemaVersion: 1;
  readonly udp: "open" | "blocked";
  /** The nearest classic name; `mapping` and `filtering` are the truth behind it. */
  readonly type: NatType;
  readonly mapping: Mapping;
  readonly filtering: Filtering;
  readonly hairpin: boolean | null;
  readonly allocation: { readonly kind: "preserving" | "sequential" | "random" | "unknown"; readonly delta: number | null };
  readonly pooled: boolean | null;
  readonly inboundFirstRemaps: boolean | null;
  readonly lifetimeSeconds: number | null;
  readonly natLayers: number | null;
  readonly portMapping: { readonly upnp: boolean | null; readonly natPmp: boolean | null; readonly pcp: boolean | null };
  /** The endpoint that was tested; `null` where the host has no route to any server. */
  readonly local: Endpoint | null;
  /** What that endpoint looks like from outside; `server` is the one that saw it, as `address:port`. */
  readonly public: readonly (Endpoint & { readonly server: string })[];
  /** `low`: a test failed, contradicted another, or rests on silence on a lossy line. */
  readonly confidence: "high" | "low";
  /** One sentence: what this means for connecting. */
  readonly summary: string;
  /** How each kind of peer would be reached. */
  readonly reach: Readonly<Partial<Record<NatType, "direct" | "relay">>> | null;
}

export function makeReport(evidence: Evidence): Report {
  const { udp, mapping, filtering, confidence, local } = evidence;
  const type = udp === "blocked" ? "udp-blocked" : classicName(mapping, filtering);
  return {
    schemaVersion: 1,
    udp,
    type,
    mapping,
    filtering,
    hairpin: null,
    allocation: { kind: "unknown", delta: null },
    pooled: null,
    inboundFirstRemaps: null,
    lifetimeSeconds: null,
    natLayers: null,
    portMapping: { upnp: null, natPmp: null, pcp: null },
    local: local ?? null,
    public: evidence.public.map(({ mapped, server }) => ({ ...mapped, server: formatEndpoint(server) })),
    confidence,
    summary: summarize(type, evidence),
    reach: null,
  };
}
