import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createRendezvous, type Rendezvous, type RendezvousOptions } from "@awl/rendezvous";
import { roomOf } from "@awl/wire";
import { identityFromSeed } from "../identity.js";
import { type KnockOptions, knock, type SignalLink, SignalListener, type SignalListenerOptions } from "./signal-client.js";

export const HOST = "127.0.0.1";
export const DEAD = `ws://${HOST}:1`;
export const TIMINGS = { minBackoffMs: 10, maxBackoffMs: 100 };
export const identity = identityFromSeed(randomBytes(32));
export const room = roomOf(identity.publicKey);

/** What a test leaves open: `closeAll` closes it, the last first. */
export const opened: { close(): unknown }[] = [];
export async function closeAll(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close();
}

export async function start(options: RendezvousOptions = {}): Promise<Rendezvous & { url: string; port: number; altPort: number }> {
  const rendezvous = await createRendezvous({ hosts: [HOST], port: 0, altPort: 0, ...options });
  opened.push(rendezvous);
  const { port = 0, altPort = 0 } = rendezvous.addresses[0] ?? {};
  return { ...rendezvous, port, altPort, url: `ws://${HOST}:${port}` };
}

export function listen(...urls: string[]): SignalListener & { seen: string[]; links: SignalLink[] } {
  return listenWith({ urls });
}

export function listenWith(options: Partial<SignalListenerOptions> & { urls: string[] }) {
  const listener = new SignalListener({ identity, timings: TIMINGS, ...options });
  opened.push(listener);
  const seen: string[] = [];
  const links: SignalLink[] = [];
  listener.on("up", ({ url }) => seen.push(`up ${url}`));
  listener.on("down", ({ code }) => seen.push(`down ${code}`));
  listener.on("closed", (error) => seen.push(`closed ${error?.code}`));
  listener.on("link", (link) => links.push(link));
  return Object.assign(listener, { seen, links });
}

export async function knockAt(options: Partial<KnockOptions> & { urls: string[] }) {
  const knocked = await knock({ room, timings: TIMINGS, ...options });
  opened.push(knocked.link);
  return knocked;
}

/** Everything that comes, as one text; and how the link ended. */
export function record(link: SignalLink) {
  const record = { text: "", end: undefined as string | undefined };
  link.onData((bytes) => {
    record.text += Buffer.from(bytes).toString("latin1");
  });
  link.onClose((end) => {
    record.end = end;
  });
  return record;
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** In front of a port; frozen, it keeps its connections, accepts no more, and forwards nothing. */
export async function proxy(port: number): Promise<{ url: string; freeze(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, HOST);
    for (const socket of [near, far]) socket.on("error", () => {});
    sockets.push(near, far);
    near.pipe(far).pipe(near);
  });
  server.listen(0, HOST);
  await once(server, "listening");
  opened.push({ close: () => [...sockets.map((socket) => socket.destroy()), server.close()] });
  return {
    url: `ws://${HOST}:${(server.address() as { port: number }).port}`,
    freeze() {
      server.close();
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}
