import { probe, type Report } from "@awl/nat-probe";
import { type Endpoint, endpointFamily, formatEndpoint } from "@awl/wire";
import type { NatSummary } from "../session/control-message.js";
import { localAddresses } from "./local-addresses.js";

/** What nat-probe says, asking the rendezvous, over IPv4 if there is any; `undefined` where it cannot say anything. Never rejects. */
export async function natReport(stun: readonly Endpoint[], signal?: AbortSignal): Promise<Report | undefined> {
  const { families } = localAddresses();
  const own = stun.filter((server) => families.includes(endpointFamily(server)));
  return probe({ servers: (own.length > 0 ? own : stun).map(formatEndpoint), ...(signal && { signal }) }).catch(() => undefined);
}

/** The part of it that the other side is told. */
export function summaryOf({ type, mapping, filtering, confidence }: Report): NatSummary {
  return { type, mapping, filtering, confidence };
}
