import type { NatSummary } from "./control-message.js";

/** Why a pair of NATs has no path at all, and what would change it, in one sentence. `relay`: why there is none. */
export function whyNoPath(local: NatSummary | undefined, remote: NatSummary | undefined, relay?: string): string {
  const text = whyNotDirect(local, remote, "No direct path");
  return relay === undefined ? text : `${text} The relay: ${relay}`;
}

/** Why a session is relayed, and what would change it, in one sentence. */
export function whyRelayed(local: NatSummary | undefined, remote: NatSummary | undefined): string {
  return whyNotDirect(local, remote, "Relayed");
}

/** Before all has been tried. */
export const RELAYED = {
  meanwhile: "Relayed, while a direct path is being looked for.",
  again: "Relayed, since the direct path was lost; another is being looked for.",
  asked: "Relayed, as was asked for.",
} as const;

function whyNotDirect(local: NatSummary | undefined, remote: NatSummary | undefined, lead: string): string {
  const blocked = [local?.type === "udp-blocked" && "this side", remote?.type === "udp-blocked" && "the other side"].filter(Boolean);
  if (blocked.length > 0) return `${lead}: UDP is blocked on ${blocked.join(" and ")}, so only a relay over TCP can connect.`;
  if (!local || !remote) return `${lead}: no direct path was found, and the NATs are not known well enough to say why.`;
  const sides = `this side is ${describe(local)}, the other side ${describe(remote)}`;
  if (isSymmetric(local) && isSymmetric(remote)) {
    return `${lead}: ${sides}, so neither port can be known; it takes port prediction or a relay.`;
  }
  if (isSymmetric(local) || isSymmetric(remote)) {
    return `${lead}: ${sides}; the symmetric side's port cannot be known to the side that filters by port, so it takes port prediction or a relay.`;
  }
  return `${lead}: none was found, though ${sides}: something between them lets no packet through.`;
}

export function whyDirect(local: NatSummary | undefined, remote: NatSummary | undefined, strategy: string): string {
  const how = HOW[strategy] ?? "by sending at the same time";
  if (!local || !remote) return `Direct, ${how}.`;
  return `Direct, ${how}: this side is ${describe(local)}, the other side ${describe(remote)}.`;
}

const HOW: Record<string, string> = {
  lan: "over the network that both are in",
  ipv6: "over IPv6",
  hairpin: "through a hairpin of the NAT that both are behind",
  inside: "between the NATs",
};

function isSymmetric({ type }: NatSummary): boolean {
  return type === "symmetric";
}

function describe({ type }: NatSummary): string {
  return NAMES.get(type) ?? "behind an unknown NAT";
}

/** Of words that a peer chose, so no plain object. */
const NAMES = new Map([
  ["open", "not behind a NAT"],
  ["full-cone", "behind a full-cone NAT"],
  ["restricted-cone", "behind an address-restricted NAT"],
  ["port-restricted-cone", "behind a port-restricted NAT"],
  ["symmetric", "behind a symmetric NAT"],
  ["symmetric-firewall", "behind a firewall"],
]);
