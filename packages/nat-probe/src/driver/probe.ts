import { randomBytes } from "node:crypto";
import type { AddressFamily } from "@awl/wire";
import { NatProbeError } from "../errors.js";
import type { Evidence } from "../machine/evidence.js";
import { Prober, type ProberInput, type ProberOptions, type ProberOutput } from "../machine/prober.js";
import { makeReport, type Report } from "../report.js";
import { PUBLIC_SERVERS, parseTarget } from "../target.js";
import { resolveTargets } from "./resolve.js";
import { localAddressTowards, UdpSockets } from "./udp-sockets.js";

export interface ProbeOptions {
  /** `HOST[:PORT]`, `stun:HOST[:PORT]`, or a rendezvous' `ws(s)://` URL. @default a list of public servers */
  readonly servers?: readonly string[];
  /** @default 4 where any server has an IPv4 address, else 6 */
  readonly family?: AddressFamily;
  /** How long to wait for the first answer before UDP is called blocked, milliseconds. @default 2200 */
  readonly timeoutMs?: number;
  /** Ends the probe; it then rejects with code `aborted`. */
  readonly signal?: AbortSignal;
}

export const DEFAULT_TIMEOUT_MS = 2_200;

/**
 * Finds out what kind of NAT or firewall this host sits behind. RFC 5780.
 *
 * @throws {NatProbeError} `usage` (a server that cannot be read), `unresolvable`, `aborted`
 */
export async function probe(options: ProbeOptions = {}): Promise<Report> {
  const { servers: texts = PUBLIC_SERVERS, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  if (signal?.aborted) throw new NatProbeError("aborted", "the probe was aborted");
  const { family, servers } = await resolveTargets(texts.map(parseTarget), options.family);
  const routes = await Promise.all(servers.map(async (server) => ({ server, local: await localAddressTowards(server) })));
  const routed = routes.filter(({ local }) => local !== undefined);
  if (routed.length === 0) return makeReport(UNROUTED);
  const evidence = await run(
    family,
    { servers: routed.map(({ server }) => server), localAddress: routed[0]?.local, timeoutMs, random: randomBytes },
    signal,
  );
  return makeReport(evidence);
}

const UNROUTED: Evidence = {
  udp: "blocked",
  mapping: "unknown",
  filtering: "unknown",
  confidence: "high",
  local: undefined,
  public: [],
  obstacles: [],
};

/** The thin driver: sockets and one timer around the machine. */
function run(family: AddressFamily, options: ProberOptions, signal?: AbortSignal): Promise<Evidence> {
  const prober = new Prober(options);
  let timer: NodeJS.Timeout | undefined;
  let sockets: UdpSockets;

  const ended = new Promise<Evidence>((resolve, reject) => {
    const feed = (input: ProberInput) => {
      for (const output of prober.handle(performance.now(), input)) perform(output);
    };
    const perform = (output: ProberOutput) => {
      switch (output.type) {
        case "open":
          return sockets.open(output.socket, family);
        case "send":
          return sockets.send(output.socket, output.to, output.bytes);
        case "wake":
          return wake(output.at);
        case "done":
          return resolve(output.evidence);
      }
    };
    const wake = (at: number) => {
      clearTimeout(timer);
      if (at === Number.POSITIVE_INFINITY) return;
      // Behind the poll phase: after a stall, answers that wait in the sockets are read before their absence is judged.
      timer = setTimeout(() => setImmediate(feed, TICK), Math.max(0, at - performance.now()));
    };
    sockets = new UdpSockets({
      onDatagram: (socket, from, bytes) => feed({ type: "datagram", socket, from, bytes }),
      // What is sent on a socket that could not be had is lost, which the machine can live with.
      onOpened: (socket, port) => port !== undefined && feed({ type: "opened", socket, port }),
    });
    signal?.addEventListener("abort", () => reject(new NatProbeError("aborted", "the probe was aborted")), { once: true });
    feed(TICK);
  });
  return ended.finally(() => {
    clearTimeout(timer);
    return sockets.closeAll();
  });
}

const TICK: ProberInput = { type: "tick" };
