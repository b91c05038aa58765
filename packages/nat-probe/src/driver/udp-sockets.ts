import { createSocket, type RemoteInfo } from "node:dgram";
import { type AddressFamily, canonicalAddress, type Endpoint } from "@awl/wire";
import { DgramAsPromised, type SocketAsPromised } from "dgram-as-promised";

/**
 * An endpoint's address is already one. Without this, every send would go through the resolver's thread pool, and would leave
 * later than the call: with a TTL set for another datagram, for instance.
 */
const lookup = ((address: string, _options: unknown, callback: (error: null, address: string, family: number) => void) =>
  callback(null, address, address.includes(":") ? 6 : 4)) as never;

const DEFAULT_TTL = 64;

export interface UdpHandlers {
  readonly onDatagram: (socket: number, from: Endpoint, bytes: Buffer) => void;
  /** `port`: the local one; `undefined` where the system has no such socket to give. */
  readonly onOpened: (socket: number, port: number | undefined) => void;
}

/** Sockets that a machine asks for by numbers of its own, each bound to a free port of the unspecified address of one family. */
export class UdpSockets {
  readonly #handlers: UdpHandlers;
  readonly #sockets = new Map<number, Promise<SocketAsPromised | undefined>>();

  constructor(handlers: UdpHandlers) {
    this.#handlers = handlers;
  }

  /** Answered by `onOpened`. */
  open(id: number, family: AddressFamily): void {
    this.#sockets.set(id, this.#bind(id, family));
  }

  /** Fire and forget, as UDP is: what the system refuses to send (no route, full buffers) counts as lost. Waits for the socket to be bound. */
  async send(id: number, to: Endpoint, bytes: Buffer, ttl?: number): Promise<void> {
    const bound = await this.#sockets.get(id);
    if (!bound) return;
    if (ttl !== undefined) bound.setTTL(ttl);
    bound.socket.send(bytes, to.port, to.address, () => {});
    if (ttl !== undefined) bound.setTTL(DEFAULT_TTL);
  }

  /** What was sent before still leaves. */
  async close(id: number): Promise<void> {
    const bound = await this.#sockets.get(id);
    if (this.#sockets.delete(id)) await bound?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#sockets.keys()].map((id) => this.close(id)));
  }

  async #bind(id: number, family: AddressFamily): Promise<SocketAsPromised | undefined> {
    // Never one socket for both families: it would show IPv4 as IPv6, and ignore the TTL of IPv4.
    const bound = DgramAsPromised.createSocket({ type: family === 4 ? "udp4" : "udp6", ipv6Only: family === 6, lookup });
    bound.socket.on("message", (bytes: Buffer, { address, port }: RemoteInfo) => {
      if (this.#sockets.has(id)) this.#handlers.onDatagram(id, { address: canonicalAddress(address), port }, bytes);
    });
    bound.socket.on("error", () => {});
    const address = await bound.bind({ port: 0, address: family === 4 ? "0.0.0.0" : "::" }).catch(() => undefined);
    this.#handlers.onOpened(id, address?.port);
    return address && bound;
  }
}

/** The address that datagrams to this endpoint leave from; `undefined` if there is no route. Sends nothing. */
export function localAddressTowards({ address, port }: Endpoint): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4", lookup });
    socket.connect(port, address, (error?: Error) => {
      const local = error ? undefined : canonicalAddress(socket.address().address);
      socket.close();
      resolve(local);
    });
  });
}
