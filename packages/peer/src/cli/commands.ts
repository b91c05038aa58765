import { access } from "node:fs/promises";
import { Connector } from "../driver/connector.js";
import { defaultIdentityPath, ephemeralIdentity, loadOrCreateIdentity, rotateSecret } from "../driver/identity-file.js";
import { Listener } from "../driver/listener.js";
import { PeerError } from "../errors.js";
import { formatKey, parseKey } from "../identity.js";
import type { AllowedPaths } from "../session/session-io.js";
import { decodeTicket } from "../ticket.js";
import { output } from "./output.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface KeyOptions {
  readonly identity?: string;
  readonly json?: boolean;
}

/** `peer key`: prints the public key of the identity, which is made if there is none. */
export async function key({ identity: file, json = false }: KeyOptions, env: Env): Promise<void> {
  const { identity } = await loadOrCreateIdentity(file ?? defaultIdentityPath(env));
  const text = formatKey(identity.publicKey);
  process.stdout.write(json ? `${JSON.stringify({ key: text })}\n` : `${text}\n`);
}

export interface ListenCliOptions {
  readonly server: readonly string[];
  readonly identity?: string;
  readonly rotate?: boolean;
  readonly allow?: readonly string[];
  readonly once?: boolean;
  readonly directOnly?: boolean;
  readonly relayOnly?: boolean;
  readonly json?: boolean;
}

/** `peer listen`: prints a ticket, and serves its holders until it is told to stop. */
export async function listen(options: ListenCliOptions): Promise<void> {
  const { server, identity: file, rotate, allow, once, json = false } = options;
  const allowed = allow && new Set(allow.map((text) => formatKey(parseKey(text))));
  const kept = await keptIdentity(file, rotate);
  const out = output(json);
  const listener = new Listener({
    servers: server,
    ...kept,
    ...(allowed && { allow: (peer) => allowed.has(formatKey(peer)) }),
    paths: pathsOf(options),
  });
  const ended = new Promise<PeerError | undefined>((resolve) => listener.once("closed", resolve));
  listener.on("nat", (report) => out.nat(report));
  listener.on("session", ({ peerKey }) => out.note(`${formatKey(peerKey)} is in`));
  listener.on("refused", (error) => out.note(`turned away: ${error.message}`));
  listener.on("event", (_session, event) => {
    out.event(event);
    if (once && event.event === "closed") void listener.close();
  });
  onStop(() => void listener.close());
  try {
    await listener.ready;
  } catch (error) {
    await listener.close();
    throw error;
  }
  listener.on("down", (error) => out.note(`no rendezvous: ${error.message}; trying again`));
  out.ticket(listener.ticket);
  const error = await ended;
  if (error) throw error;
}

export interface PingCliOptions {
  readonly server?: readonly string[];
  readonly count?: number;
  readonly interval?: number;
  readonly directOnly?: boolean;
  readonly relayOnly?: boolean;
  readonly json?: boolean;
}

/** `peer ping`: measures the round trip over whatever path is best. @throws {PeerError} `no-path` if not one reply came */
export async function ping(text: string, options: PingCliOptions, env: Env): Promise<void> {
  const { server, count, interval = 1, json = false } = options;
  const ticket = decodeTicket(text);
  const stopped = new AbortController();
  onStop(() => stopped.abort());
  const { identity } = await ownIdentity(env);
  const connector = await Connector.connect({
    ticket: server ? { ...ticket, servers: server } : ticket,
    identity,
    signal: stopped.signal,
    paths: pathsOf(options),
  });
  const out = output(json);
  let replies = 0;
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<PeerError | undefined>((resolve) => {
    stopped.signal.addEventListener("abort", () => resolve(undefined));
    connector.on("nat", (report) => out.nat(report));
    connector.on("event", (event) => {
      out.event(event);
      if (event.event === "path") timer ??= startPinging(connector, interval);
      if (event.event === "pong" && !json) process.stdout.write(`reply ${event.seq}  ${event.rttMs.toFixed(2)} ms  ${event.kind}\n`);
      if (event.event === "pong" && ++replies === count) resolve(undefined);
      if (event.event === "closed") resolve(new PeerError(event.code === "no-path" ? "no-path" : "session-ended", event.text));
    });
  });
  const error = await ended;
  clearInterval(timer);
  await connector.close();
  // Whoever got replies was answered: how the session ended then is no failure of the ping.
  if (error && (replies === 0 || count !== undefined)) throw error;
  if (replies === 0) throw new PeerError("no-path", "there was no reply");
}

function startPinging(connector: Connector, intervalSeconds: number): NodeJS.Timeout {
  connector.ping();
  return setInterval(() => connector.ping(), intervalSeconds * 1_000);
}

function pathsOf({ directOnly = false, relayOnly = false }: { directOnly?: boolean; relayOnly?: boolean }): AllowedPaths {
  if (directOnly) return "direct-only";
  return relayOnly ? "relay-only" : "any";
}

async function keptIdentity(file: string | undefined, rotate = false) {
  if (rotate && file === undefined) throw new PeerError("usage", "--rotate needs an --identity: without one, every ticket is new");
  if (file === undefined) return ephemeralIdentity();
  return rotate ? rotateSecret(file) : loadOrCreateIdentity(file);
}

/** The identity that `peer key` made, so that a listener can know who comes; else one for this session only. */
async function ownIdentity(env: Env) {
  const file = defaultIdentityPath(env);
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  return exists ? loadOrCreateIdentity(file) : ephemeralIdentity();
}

/** The first SIGINT or SIGTERM ends in good order, a second one at once. */
function onStop(stop: () => void): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
}
