import type { Socket } from "node:dgram";
import { addressFamily } from "@awl/wire";
import { fullOptions, type RendezvousOptions } from "../options.js";
import { BindingServer } from "../stun/binding-server.js";
import type { BindingCounters } from "../stun/counters.js";
import { stunSockets } from "../stun/sockets.js";
import { hostAddresses } from "./host-addresses.js";
import { SignalSockets, type SignalStatistics } from "./signal-sockets.js";
import { openSockets } from "./sockets.js";

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
  /** Datagrams that the operating system would not send. */
  readonly sendErrors: number;
}

export interface Rendezvous {
  /** The first is the one to announce. */
  readonly addresses: readonly RendezvousAddress[];
  counters(): RendezvousCounters;
  /** Tells signalling clients to go elsewhere, then closes every socket and connection, within 2 s; may be called again. */
  close(): Promise<void>;
}

/**
 * Starts a rendezvous; when the promise is fulfilled, it answers.
 *
 * @throws {RendezvousError} `bad-option`; `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen`, with nothing left open
 */
export async function createRendezvous(options: RendezvousOptions = {}): Promise<Rendezvous> {
  const full = fullOptions(options, hostAddresses());
  const { port, altPort, udp, http, close } = await openSockets(full);
  const server = new BindingServer(stunSockets(full.addresses, port, altPort), full.reflectionLimits);
  const sockets = udp.map(({ socket }) => socket);
  let sendErrors = 0;
  serveStun(server, sockets, () => sendErrors++);
  const addresses = oneOfEachFamily(full.addresses.map(({ publicAddress }) => publicAddress));
  const signal = new SignalSockets({ limits: full.signalLimits, pingMs: full.pingMs, stunPort: port, addresses });
  for (const one of http) signal.serve(one);

  let closed: Promise<void> | undefined;
  return {
    addresses: full.addresses.map(({ address, publicAddress, alternate }) => ({
      address,
      publicAddress,
      port,
      altPort,
      alternate: alternate === undefined ? null : (full.addresses[alternate]?.publicAddress ?? null),
    })),
    counters() {
      const { received, answered, refused, dropped } = server.counters;
      return { stun: { received, answered, refused: { ...refused }, dropped: { ...dropped } }, signal: signal.statistics(), sendErrors };
    },
    close() {
      closed ??= signal.close().then(close);
      return closed;
    },
  };
}

/** The first of each, which is the most widely reachable. */
function oneOfEachFamily(addresses: readonly string[]): string[] {
  return ([4, 6] as const).flatMap((family) => addresses.filter((address) => addressFamily(address) === family).slice(0, 1));
}

/** The path of every datagram: no promise and no closure is made on it. */
function serveStun(server: BindingServer, sockets: readonly Socket[], onSendError: () => void): void {
  const onSent = (error: Error | null): void => {
    if (error) onSendError();
  };
  for (const [local, socket] of sockets.entries()) {
    socket.on("message", (bytes, from) => {
      const answer = server.handle(performance.now(), bytes, local, from);
      if (answer) sockets[answer.via]?.send(answer.bytes, answer.to.port, answer.to.address, onSent);
    });
  }
}
