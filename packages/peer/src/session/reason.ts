import type { NatSummary } from "./control-message.js";

/** Why a pair of NATs has no direct path, and what would change it, in one sentence. */
export function whyNoPath(local: NatSummary | undefined, remote: NatSummary | undefined): string {
  if (local?.type === "udp-blocked") return "UDP is blocked on this side: only a relay over TCP could connect.";
  if (remote?.type === "udp-blocked") return "UDP is blocked on the other side: only a relay over TCP could connect.";
  if (!local || !remote) return "No direct path was found, and the NATs are not known well enough to say why.";
  const sides = `this side is ${describe(local)}, the other side ${describe(remote)}`;
  if (isSymmetric(local) && isSymmetric(remote))
    return `No direct path: ${sides}, so neither port can be known; it takes port prediction or a relay.`;
  if (isSymmetric(local) || isSymmetric(remote)) {
    return `No direct path: ${sides}; the symmetric side's port cannot be known to the side that filters by port, so it takes port prediction or a relay.`;
  }
  return `No direct path was found, though ${sides}: something between them lets no packet through.`;
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
