import { NAT_KINDS } from "../grid/nat-kinds.js";
import type { Site } from "./site.js";

export interface CoturnVerdict {
  readonly mapping: string;
  readonly filtering: string;
}

/** What coturn's client of RFC 5780 says of a site's NAT; each of its tests that stays unanswered takes it 3 s. */
export async function coturnVerdict(site: Site, server: string): Promise<CoturnVerdict> {
  const filtering = await discover(site, server, "-f");
  const output = [await discoverMapping(site, server), filtering, await discoverMappingOfKnownPort(site, server)].join("\n");
  const found = (what: string) =>
    output
      .match(new RegExp(`NAT with (.*) ${what}!`))?.[1]
      ?.toLowerCase()
      .replaceAll(" ", "-");
  const mapping = output.includes("No NAT!") ? "none" : found("Mapping");
  return { mapping: mapping ?? "unknown", filtering: found("Filtering") ?? "unknown" };
}

/** It sends each request once, and takes an answer that is lost for one that is the same. */
async function discoverMapping(site: Site, server: string): Promise<string> {
  const output = await discover(site, server, "-m");
  return output.includes("receive timeout") ? discover(site, server, "-m") : output;
}

async function discover({ host }: Site, server: string, ...options: string[]): Promise<string> {
  return (await host.run(["turnutils_natdiscovery", ...options, "-p", "3478", server])).stdout;
}

/** It recognises that there is no NAT only if told what to compare with; its other tests want fresh ports. */
async function discoverMappingOfKnownPort(site: Site, server: string): Promise<string> {
  const { nat } = NAT_KINDS[site.kind].layers[0];
  return nat === null ? discover(site, server, "-m", "-L", site.host.address, "-l", "5000") : "";
}
