import type { SocketAsPromised } from "dgram-as-promised";
import { RendezvousError } from "../errors.js";
import type { FullOptions } from "../options.js";
import { HttpServer } from "./http.js";
import { bindUdp } from "./udp.js";

/** Everything that a rendezvous listens on. */
export interface Sockets {
  readonly port: number;
  readonly altPort: number;
  /** An address's primary port, then its alternate port, in the order of the addresses: as `stunSockets` has them. */
  readonly udp: readonly SocketAsPromised[];
  readonly http: readonly HttpServer[];
  close(): Promise<void>;
}

/**
 * Opens all of them, or none.
 *
 * @throws {RendezvousError} `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen`
 */
export async function openSockets(options: FullOptions): Promise<Sockets> {
  const anyPort = options.port === 0 || options.altPort === 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOnce(options);
    } catch (error) {
      const taken = error instanceof RendezvousError && error.code === "port-in-use";
      if (!anyPort || !taken || attempt === ANY_PORT_ATTEMPTS) throw error;
    }
  }
}

/** A port that is free on the first address may be taken on the next. */
const ANY_PORT_ATTEMPTS = 20;

async function openOnce(options: FullOptions): Promise<Sockets> {
  const udp: SocketAsPromised[] = [];
  const http: HttpServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all([...udp, ...http].map((opened) => opened.close()));
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
      http.push(await HttpServer.listen({ address, port }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port, altPort, udp, http, close };
}
