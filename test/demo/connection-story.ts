import { formatEndpoint } from "@awl/wire";
import type { Host } from "../lab/host.js";
import type { Lab } from "../lab/lab.js";
import { eventsOf, startListener, startPing } from "../lab/programs.js";
import { faint, say, strong } from "./prose.js";

/** Two machines behind NATs find each other through the rendezvous, punch through, and do it again when the routers forget them. */
export async function connectTwo(lab: Lab, server: Host): Promise<void> {
  const [anna, ben] = await Promise.all([lab.site("port-restricted"), lab.site("masquerade")]);
  const url = `ws://${server.address}:3478`;
  say();
  say(strong("Two machines, each behind a NAT"));
  say(`Anna's router filters by address and port. She runs ${strong(`peer listen --server ${url}`)}, and gets a ticket:`);
  const listener = await startListener(anna.host, "--server", url);
  say();
  say(faint(`  ${listener.ticket}`));
  say();
  say(`Ben's is a Linux router with nothing but masquerade. He runs ${strong("peer ping")} with that ticket:`);
  say();
  const ping = startPing(ben.host, listener.ticket, "--interval", "0.1");
  const [path, pong] = await Promise.all([ping.next("path", ({ kind }) => kind === "direct"), ping.next("pong", ({ seq }) => seq >= 3)]);
  const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  say(`  ${strong("connected directly")} ${ms(path.elapsedMs)} after the wish to, ${ms(path.punchMs ?? 0)} of which the punch took`);
  say(`  by the public pair ${formatEndpoint(path.pair.local)} - ${formatEndpoint(path.pair.remote)}, round trip ${ms(pong.rttMs)}`);
  const nat = await ping.next("nat");
  const peerNat = await listener.next("nat");
  say(`  Ben's NAT: ${nat.type}. Anna's: ${peerNat.type}.`);

  say();
  say("Now both routers forget every mapping, as a reboot would make them:");
  say();
  await Promise.all([anna.flush(), ben.flush()]);
  const forgotten = performance.now();
  const sent = Math.max(...eventsOf("pong", ping.events).map(({ seq }) => seq));
  const back = await ping.next("pong", ({ seq, at }) => seq > sent + 2 && at > forgotten + 300);
  const again = eventsOf("path", ping.events).at(-1) ?? path;
  say(`  the replies stop, and come again ${strong(`${((back.at - forgotten) / 1000).toFixed(1)} s`)} later,`);
  say(`  by ${formatEndpoint(again.pair.local)} - ${formatEndpoint(again.pair.remote)}: the hole is healed.`);
  say();
}
