import {
  ChangeRequest,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeMessage,
  formatEndpoint,
  MappedAddress,
  Method,
  OtherAddress,
  sameEndpoint,
  XorMappedAddress,
} from "@awl/wire";
import type { Filtering, Mapping } from "../behavior.js";
import type { Evidence } from "./evidence.js";
import { Prober, type ProberOutput } from "./prober.js";

/** A NAT, a line and a server, in virtual time: what a probe of {@link runProbe} meets. */
export interface World {
  readonly mapping: Mapping;
  readonly filtering: Filtering;
  /** Chance that a datagram is lost, each way. @default 0 */
  readonly loss?: number;
  /** One way, milliseconds. @default 5 */
  readonly delayMs?: number;
  /** From the fifth answer on. @default delayMs */
  readonly laterDelayMs?: number;
  readonly seed?: number;
  readonly server?: ServerDouble;
  /** @default the two-address server's primary endpoint */
  readonly targets?: readonly Endpoint[];
  /** Public ports that already let everybody in: left behind by an earlier run. */
  readonly stalePorts?: (socket: number) => boolean;
}

/** - `plain`: knows no CHANGE-REQUEST. - `deaf-to-change`: answers it from where it was asked. - `mute-to-change`: not at all. - `misdirects`: answers everything from elsewhere. - `dead-alternate`: names another address that does not answer. - `same-address`: names its own address as the other. - `classic`: RFC 3489. */
export type ServerDouble =
  | "full"
  | "plain"
  | "refuses-change"
  | "deaf-to-change"
  | "mute-to-change"
  | "misdirects"
  | "dead-alternate"
  | "same-address"
  | "classic";

export const PRIMARY: Endpoint = { address: "203.0.113.1", port: 3478 };
export const SECOND_PLAIN: Endpoint = { address: "192.0.2.7", port: 3478 };
const OTHER: Endpoint = { address: "198.51.100.1", port: 3479 };
const NAT_ADDRESS = "198.18.1.1";
const LOCAL_ADDRESS = "192.168.1.10";

export interface ProbeRun {
  readonly evidence: Evidence;
  /** Milliseconds of virtual time. */
  readonly ms: number;
  readonly sent: number;
  readonly outputs: readonly ProberOutput[];
}

/** Runs one probe to its end. Every datagram goes through the NAT's tables both ways. */
export function runProbe(world: World): ProbeRun {
  const random = mulberry32(world.seed ?? 1);
  const nat = new NatDouble(world, random);
  const server = world.server ?? "full";
  const queue: { at: number; run: () => void }[] = [];
  const outputs: ProberOutput[] = [];
  const lost = () => random() < (world.loss ?? 0);
  const later = (ms: number, run: () => void) => void queue.push({ at: now + ms, run });
  const delay = world.delayMs ?? 5;
  let now = 0;
  let wakeAt = Number.POSITIVE_INFINITY;
  let evidence: Evidence | undefined;
  let sent = 0;
  let answers = 0;

  const prober = new Prober({
    servers: world.targets ?? [PRIMARY],
    localAddress: LOCAL_ADDRESS,
    timeoutMs: 2_200,
    random: (length) => Buffer.from(Array.from({ length }, () => Math.trunc(random() * 256))),
  });
  const feed = (input: Parameters<Prober["handle"]>[1]) => {
    for (const output of prober.handle(now, input)) {
      outputs.push(output);
      if (output.type === "open") later(0, () => feed({ type: "opened", socket: output.socket, port: localPort(output.socket) }));
      if (output.type === "wake") {
        if (output.at < now) throw new Error(`a deadline in the past: ${output.at} at ${now}`);
        wakeAt = output.at;
      }
      if (output.type === "done") evidence = output.evidence;
      if (output.type === "send") {
        sent += 1;
        const seen = nat.out(output.socket, output.to);
        if (!seen || lost()) continue;
        for (const answer of serve(server, output.bytes, seen, output.to)) {
          if (lost()) continue;
          later(2 * (++answers > 4 ? (world.laterDelayMs ?? delay) : delay), () => {
            const socket = nat.in(seen, answer.from);
            if (socket !== undefined) feed({ type: "datagram", socket, from: answer.from, bytes: answer.bytes });
          });
        }
      }
    }
  };

  feed({ type: "tick" });
  while (!evidence) {
    queue.sort((a, b) => a.at - b.at);
    const next = queue[0];
    const at = Math.min(next?.at ?? Number.POSITIVE_INFINITY, wakeAt);
    if (at === Number.POSITIVE_INFINITY || at > 120_000) throw new Error("the probe neither ended nor waits for anything");
    now = Math.max(now, at);
    if (next && next.at <= at) queue.shift()?.run();
    else feed({ type: "tick" });
  }
  if (prober.handle(now + 1, { type: "tick" }).length > 0) throw new Error("the probe spoke after its end");
  return { evidence, ms: now, sent, outputs };
}

function localPort(socket: number): number {
  return 40_000 + socket;
}

class NatDouble {
  readonly #world: World;
  readonly #random: () => number;
  readonly #mappings = new Map<string, Endpoint>();
  readonly #inside = new Map<string, { socket: number; sentTo: Endpoint[] }>();

  constructor(world: World, random: () => number) {
    this.#world = world;
    this.#random = random;
  }

  /** The public endpoint that a datagram leaves from. */
  out(socket: number, to: Endpoint): Endpoint | undefined {
    const key = {
      none: "",
      unknown: "",
      "endpoint-independent": "",
      "address-dependent": to.address,
      "address-and-port-dependent": formatEndpoint(to),
    };
    const id = `${socket}|${key[this.#world.mapping]}`;
    const seen = this.#mappings.get(id) ?? this.#allocate(socket);
    this.#mappings.set(id, seen);
    this.#inside.get(formatEndpoint(seen))?.sentTo.push(to);
    return seen;
  }

  /** The socket that a datagram reaches, if the filter lets it. */
  in(to: Endpoint, from: Endpoint): number | undefined {
    const entry = this.#inside.get(formatEndpoint(to));
    if (!entry) return undefined;
    if (this.#world.stalePorts?.(entry.socket)) return entry.socket;
    const admitted = entry.sentTo.some((known) => {
      if (this.#world.filtering === "endpoint-independent") return true;
      return this.#world.filtering === "address-dependent" ? known.address === from.address : sameEndpoint(known, from);
    });
    return admitted ? entry.socket : undefined;
  }

  #allocate(socket: number): Endpoint {
    if (this.#world.mapping === "none") return this.#remember({ address: LOCAL_ADDRESS, port: localPort(socket) }, socket);
    for (;;) {
      const seen = { address: NAT_ADDRESS, port: 10_000 + Math.trunc(this.#random() * 20_000) };
      if (!this.#inside.has(formatEndpoint(seen))) return this.#remember(seen, socket);
    }
  }

  #remember(seen: Endpoint, socket: number): Endpoint {
    this.#inside.set(formatEndpoint(seen), { socket, sentTo: [] });
    return seen;
  }
}

function serve(kind: ServerDouble, bytes: Buffer, from: Endpoint, at: Endpoint): { from: Endpoint; bytes: Buffer }[] {
  const request = decodeMessage(bytes);
  if (typeof request === "string") throw new Error(`the probe sent ${request}`);
  const { method, transactionId } = request;
  const change = request.get(ChangeRequest);
  const hasSecondAddress = kind !== "plain";
  if (kind === "dead-alternate" && !sameEndpoint(at, PRIMARY)) return [];
  if (change && kind === "mute-to-change") return [];
  if (change && (kind === "refuses-change" || kind === "plain")) {
    return [
      { from: at, bytes: encodeMessage({ method, class: "error", transactionId, attributes: [ErrorCode.of({ code: 420, reason: "" })] }) },
    ];
  }
  const swap = (value: string | number, a: string | number, b: string | number) => (value === a ? b : a);
  const source = {
    address: change?.ip && kind !== "deaf-to-change" ? String(swap(at.address, PRIMARY.address, OTHER.address)) : at.address,
    port: change?.port && kind !== "deaf-to-change" ? Number(swap(at.port, PRIMARY.port, OTHER.port)) : at.port,
  };
  const other = kind === "same-address" ? { ...OTHER, address: PRIMARY.address } : OTHER;
  const attributes = [
    kind === "classic" ? MappedAddress.of(from) : XorMappedAddress.of(from),
    ...(hasSecondAddress ? [OtherAddress.of(other)] : []),
  ];
  const stray = kind === "misdirects" ? OTHER : source;
  return [{ from: stray, bytes: encodeMessage({ method: Method.Binding, class: "success", transactionId, attributes }) }];
}

/** A small seeded generator, so that a failing run can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
