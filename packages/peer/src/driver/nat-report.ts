import { probe, type Report } from "@awl/nat-probe";
import { type Endpoint, formatEndpoint } from "@awl/wire";
import type { NatSummary } from "../session/control-message.js";

/** What nat-probe says, asking the rendezvous; `undefined` where it cannot say anything. Never rejects. */
export async function natReport(stun: Endpoint, signal?: AbortSignal): Promise<Report | undefined> {
  return probe({ servers: [formatEndpoint(stun)], ...(signal && { signal }) }).catch(() => undefined);
}

/** The part of it that the other side is told. */
export function summaryOf({ type, mapping, filtering, confidence }: Report): NatSummary {
  return { type, mapping, filtering, confidence };
}
