import type { NatType } from "./behavior.js";
import type { Evidence, Obstacle } from "./machine/evidence.js";

/** One sentence for a person: what was found, what it means for connecting, or what kept the probe from finding it. */
export function summarize(type: NatType, { local, obstacles }: Pick<Evidence, "local" | "obstacles">): string {
  if (type === "udp-blocked" && !local)
    return "This host has no route to any of the servers: it has no network, or none of this address family.";
  if (type !== "unknown") return MEANING[type];
  const [obstacle] = obstacles;
  return `UDP works, but the kind of NAT could not be told${obstacle ? `: ${HINDRANCE[obstacle]}` : ""}.`;
}

const MEANING: Record<Exclude<NatType, "unknown">, string> = {
  open: "There is no NAT and nothing filters: any peer can reach this host directly.",
  "full-cone":
    "Once a port is in use anybody can reach it: peers connect directly, whatever NAT they are behind, as long as they have UDP.",
  "restricted-cone":
    "The NAT lets in whom you sent to first, from any port: peers connect directly by sending at the same time, whatever NAT they are behind.",
  "port-restricted-cone":
    "The NAT lets in only the very endpoint you sent to first: peers connect directly by sending at the same time, except for those behind a symmetric NAT, whose ports must be predicted or who need a relay.",
  symmetric:
    "The NAT uses another public port for each destination: peers connect directly if they are open or behind a NAT that does not filter by port, others by port prediction or a relay.",
  "symmetric-firewall":
    "There is no NAT, but a firewall that lets in only answers: peers connect directly by sending at the same time, except for those behind a symmetric NAT, who may need a relay.",
  "udp-blocked": "No server answered over UDP, which is probably blocked: connections need a relay over TCP.",
};

const HINDRANCE: Record<Obstacle, string> = {
  "no-behavior-server": "no server that answered has the second address which that takes",
  "single-server": "that takes a server with two addresses, or at least two servers",
  "server-misdirects": "the server answers from another endpoint than the one it was asked at",
  "server-refuses": "the server did not answer from its other address when asked to",
  "alternate-dead": "the server's second address does not answer",
  inconsistent: "equal tests on different sockets gave different results",
  lossy: "too much is lost on the way to the servers",
};
