import { randomBytes } from "node:crypto";
import { addressFamily, formatEndpoint } from "@awl/wire";
import { type FullOptions, fullOptions, type RelayOptions, type RendezvousOptions } from "../options.js";
import { BindingServer } from "../stun/binding-server.js";
import type { BindingCounters } from "../stun/counters.js";
import { type StunSocket, stunSockets } from "../stun/sockets.js";
import { loadCertificate } from "./certificate.js";
import { hostAddresses } from "./host-addresses.js";
import { SignalSockets, type SignalStatistics } from "./signal-sockets.js";
import { openSockets, type Sockets } from "./sockets.js";
import { TurnSockets, type TurnStatistics } from "./turn-sockets.js";

/** One address of a running rendezvous. */
export interface RendezvousAddress {
  /** As bound. */
  readonly address: string;
  /** As clients see it: another one behind a 1:1 NAT. */
  readonly publicAddress: string;
  /** UDP and TCP. */
  readonly port: number;
  /** UDP. */
  readonly altPort: number;
  /** The public address of its RFC 5780 alternate, which has the same two ports; `null`: it has none. */
  readonly alternate: string | null;
}

/** Numbers since the start. */
export interface RendezvousCounters {
  readonly stun: Readonly<Pick<BindingCounters, "received" | "answered" | "refused" | "dropped">>;
  readonly signal: SignalStatistics;
  /** `null`: there is no relay. */
  readonly turn: TurnStatistics | null;
  /** Datagrams that the operating system would not send. */
  readonly sendErrors: number;
}

export interface Rendezvous {
  /** The first is the one to announce. */
  readonly addresses: readonly RendezvousAddress[];
  /** Whether the TCP ports speak TLS too. */
  readonly secure: boolean;
  /** Whether it relays. */
  readonly relay: boolean;
  counters(): RendezvousCounters;
  /** Tells signalling clients to go elsewhere, then closes every socket and connection, within 2 s; may be called again. */
  close(): Promise<void>;
}

/**
 * Starts a rendezvous; when the promise is fulfilled, it answers.
 *
 * @throws {RendezvousError} `bad-option`, `bad-certificate`; `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen`, with nothing left open
 */
export async function createRendezvous(options: RendezvousOptions = {}): Promise<Rendezvous> {
  const full = fullOptions(options, hostAddresses());
  const opened = await openSockets(full, full.tls && (await loadCertificate(full.tls)));
  const { port, altPort, tcp, close } = opened;
  const endpoints = stunSockets(full.addresses, port, altPort);
  const server = new BindingServer(endpoints, full.reflectionLimits);
  let sendErrors = 0;
  const onSendError = (): void => void sendErrors++;
  const { relay } = full;
  const turn = relay && startRelay(full, relay, opened, endpoints, onSendError);
  serveUdp(server, turn, opened, onSendError);
  const signal = new SignalSockets({
    limits: full.signalLimits,
    pingMs: full.pingMs,
    stunPort: port,
    addresses: announced(full.addresses),
    ...(turn && relay && { relays: (request) => [turn.issue({ ...request, bytes: relay.limits.pairBytes })] }),
  });
  for (const one of tcp) signal.serve(one);

  let closed: Promise<void> | undefined;
  return {
    addresses: full.addresses.map(({ address, publicAddress, alternate }) => ({
      address,
      publicAddress,
      port,
      altPort,
      alternate: alternate === undefined ? null : (full.addresses[alternate]?.publicAddress ?? null),
    })),
    secure: full.tls !== undefined,
    relay: turn !== undefined,
    counters() {
      const { received, answered, refused, dropped } = server.counters;
      const stun = { received, answered, refused: { ...refused }, dropped: { ...dropped } };
      return { stun, signal: signal.statistics(), turn: turn?.statistics() ?? null, sendErrors };
    },
    close() {
      closed ??= signal
        .close()
        .then(() => turn?.close())
        .then(close);
      return closed;
    },
  };
}

/** The first public address of each family, which is the most widely reachable. */
function announced(addresses: FullOptions["addresses"]): string[] {
  const all = addresses.map(({ publicAddress }) => publicAddress);
  return ([4, 6] as const).flatMap((family) => all.filter((address) => addressFamily(address) === family).slice(0, 1));
}

function startRelay(
  { addresses, tls }: FullOptions,
  { ports, secrets, allowed, limits }: RelayOptions,
  { port, udp, tcp }: Sockets,
  endpoints: readonly StunSocket[],
  onSendError: () => void,
): TurnSockets {
  const primary = udp.filter((_socket, i) => i % 2 === 0).map(({ socket }) => socket);
  const turn = new TurnSockets(
    {
      homes: addresses,
      hostAddresses: hostAddresses(),
      listening: endpoints.flatMap(({ local, origin }) => [local, origin]),
      relayPorts: ports,
      allowed,
      secrets: secrets.length > 0 ? secrets : [randomBytes(32).toString("base64")],
      uris: announced(addresses).flatMap((address) => turnUris(formatEndpoint({ address, port }), tls !== undefined)),
      limits,
    },
    primary,
    onSendError,
  );
  for (const [local, server] of tcp.entries()) server.onStun(limits.connections, (stream, from) => turn.connect(local, from, stream));
  return turn;
}

/** RFC 7065. */
function turnUris(where: string, secure: boolean): string[] {
  const uris = [`turn:${where}?transport=udp`, `turn:${where}?transport=tcp`];
  return secure ? [...uris, `turns:${where}?transport=tcp`] : uris;
}

/** The path of every datagram: no promise and no closure is made on it. */
function serveUdp(server: BindingServer, turn: TurnSockets | undefined, { udp }: Sockets, onSendError: () => void): void {
  const onSent = (error: Error | null): void => {
    if (error) onSendError();
  };
  const sockets = udp.map(({ socket }) => socket);
  for (const [i, socket] of sockets.entries()) {
    const relay = i % 2 === 0 ? turn : undefined;
    socket.on("message", (bytes, from) => {
      if (relay && !isBinding(bytes)) return relay.datagram(i >> 1, bytes, from);
      const answer = server.handle(performance.now(), bytes, i, from);
      if (answer) sockets[answer.via]?.send(answer.bytes, answer.to.port, answer.to.address, onSent);
    });
  }
}

/** STUN's Binding method, of any class. RFC 8489 section 5. */
function isBinding(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0xfe) === 0 && ((bytes[1] ?? 0) & 0xef) === 1;
}
