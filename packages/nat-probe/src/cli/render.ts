import { formatEndpoint } from "@awl/wire";
import type { Report } from "../report.js";

/** The report as a person reads it: the verdict, aligned facts, and one sentence of what it means. */
export function renderReport(report: Report, color: boolean): string {
  const paint = (code: number, text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const facts = factsOf(report);
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `  ${paint(2, name.padEnd(width))}  ${value}`);
  return [paint(1, TITLE[report.type]), "", ...lines, "", wrap(report.summary, 78), ""].join("\n");
}

const TITLE: Record<Report["type"], string> = {
  open: "Open: no NAT, no firewall",
  "full-cone": "Full-cone NAT",
  "restricted-cone": "Address-restricted cone NAT",
  "port-restricted-cone": "Port-restricted cone NAT",
  symmetric: "Symmetric NAT",
  "symmetric-firewall": "Firewall without NAT",
  "udp-blocked": "UDP is blocked",
  unknown: "Unknown kind of NAT",
};

const MAPPING: Record<Report["mapping"], string> = {
  none: "none: the address is seen as it is",
  "endpoint-independent": "endpoint-independent: one public port for all destinations",
  "address-dependent": "address-dependent: one public port for each destination address",
  "address-and-port-dependent": "address and port-dependent: one public port for each destination",
  unknown: "unknown",
};

const FILTERING: Record<Report["filtering"], string> = {
  "endpoint-independent": "endpoint-independent: lets anybody in",
  "address-dependent": "address-dependent: lets in addresses that were sent to",
  "address-and-port-dependent": "address and port-dependent: lets in only endpoints that were sent to",
  unknown: "unknown",
};

function factsOf(report: Report): [name: string, value: string][] {
  const facts: [string, string][] = [];
  if (report.udp === "open") facts.push(["mapping", MAPPING[report.mapping]], ["filtering", FILTERING[report.filtering]]);
  if (report.local) facts.push(["local", formatEndpoint(report.local)]);
  report.public.forEach((seen, i) => {
    facts.push([i === 0 ? "public" : "", `${formatEndpoint(seen)}  seen by ${seen.server}`]);
  });
  facts.push(["confidence", report.confidence]);
  return facts;
}

function wrap(text: string, width: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1] ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}
