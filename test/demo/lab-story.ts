import { formatEndpoint } from "@awl/wire";
import type { NatKindName } from "../grid/nat-kinds.js";
import type { Host } from "../lab/host.js";
import { Lab } from "../lab/lab.js";
import { bin, natProbe, startRendezvous } from "../lab/programs.js";
import { connectTwo } from "./connection-story.js";
import { columns, faint, indent, say, strong } from "./prose.js";

/** Who is behind what, as a person would put it. */
const CAST: readonly (readonly [kind: NatKindName, description: string])[] = [
  ["open", "no router at all"],
  ["full-cone", "a router that lets anybody in"],
  ["address-restricted", "a router that filters by address"],
  ["port-restricted", "a router that filters by address and port"],
  ["masquerade", "a Linux router with nothing but masquerade"],
  ["cgn", "a home router behind a carrier's NAT"],
  ["symmetric", "a router with a new port for each destination"],
  ["firewall", "a firewall, no NAT"],
  ["udp-blocked", "a router that blocks UDP"],
];

/** One Internet, one rendezvous; every NAT told; two machines connected across two of them, and the hole healed. */
export async function labStory(): Promise<void> {
  await using lab = await Lab.create();
  const server = await lab.server("rendezvous", ["203.0.113.1", "198.51.100.1"]);
  await startRendezvous(server);
  say(strong("A small Internet, on this machine"));
  say(`Kernel network namespaces, real NATs, nothing leaves them. ${strong("rendezvous")} serves on ${server.addresses.join(" and ")}.`);
  await classifyAll(lab, server);
  await connectTwo(lab, server);
}

/** A machine behind each kind of NAT asks what it sits behind. */
async function classifyAll(lab: Lab, server: Host): Promise<void> {
  const sites = await Promise.all(CAST.map(async ([kind, description]) => ({ description, site: await lab.site(kind) })));
  say();
  say(strong("What is this NAT?"));
  say(`A machine behind each router runs ${strong(`nat-probe ${server.address}`)}:`);
  say();
  const row = columns(45, 21, 20, 7);
  say(faint(`  ${row("behind", "nat-probe says", "seen outside as", "took")}`));
  for (const { description, site } of sites) {
    const { report, ms } = await natProbe(site.host, server.address);
    const outside = report?.public[0] ? formatEndpoint(report.public[0]) : "-";
    say(`  ${row(description, report?.type ?? "nothing", outside, `${(ms / 1000).toFixed(2)} s`)}`);
  }
  const home = sites.find(({ site }) => site.kind === "port-restricted")?.site;
  if (!home) return;
  say();
  say("The whole report, from behind the router that filters by address and port:");
  say();
  const { stdout } = await home.host.run([process.execPath, bin("nat-probe"), server.address]);
  say(indent(stdout.trimEnd()));
}
