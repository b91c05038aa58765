import type { SecureContext } from "node:tls";
import type { SocketAsPromised } from "dgram-as-promised";
import { RendezvousError } from "../errors.js";
import type { FullOptions } from "../options.js";
import { TcpServer } from "./tcp.js";
import { bindUdp } from "./udp.js";

/** Everything that a rendezvous listens on. */
export interface Sockets {
  readonly port: number;
  readonly altPort: number;
  /** An address's primary port, then its alternate port, in the order of the addresses: as `stunSockets` has them. */
  readonly udp: readonly SocketAsPromised[];
  readonly tcp: readonly TcpServer[];
  close(): Promise<void>;
}

/**
 * Opens all of them, or none.
 *
 * @throws {RendezvousError} `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen`
 */
export async function openSockets(options: FullOptions, secureContext?: SecureContext): Promise<Sockets> {
  const anyPort = options.port === 0 || options.altPort === 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOnce(options, secureContext);
    } catch (error) {
      const taken = error instanceof RendezvousError && error.code === "port-in-use";
      if (!anyPort || !taken || attempt === ANY_PORT_ATTEMPTS) throw error;
    }
  }
}

/** A port that is free on the first address may be taken on the next. */
const ANY_PORT_ATTEMPTS = 20;

async function openOnce(options: FullOptions, secureContext: SecureContext | undefined): Promise<Sockets> {
  const udp: SocketAsPromised[] = [];
  const tcp: TcpServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all([...udp, ...tcp].map((opened) => opened.close()));
  };
  let { port, altPort } = options;
  try {
    for (const { address } of options.addresses) {
      for (const alternate of [false, true]) {
        const socket = await bindUdp({ address, port: alternate ? altPort : port });
        udp.push(socket);
        if (alternate) altPort = socket.address().port;
        else port = socket.address().port;
      }
      tcp.push(await TcpServer.listen({ address, port }, secureContext));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port, altPort, udp, tcp, close };
}
