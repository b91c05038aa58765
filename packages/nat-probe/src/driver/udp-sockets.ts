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

interface Opening {
  readonly bound: Promise<void>;
  /** Set once bound. */
  socket?: SocketAsPromised;
}

/** Sockets that a machine asks for by numbers of its own, each bound to a free port of the unspecified address of one family. */
export class UdpSockets {
  readonly #handlers: UdpHandlers;
  readonly #sockets = new Map<number, Opening>();

  constructor(handlers: UdpHandlers) {
    this.#handlers = handlers;
  }

  /** Answered by `onOpened`. */
  open(id: number, family: AddressFamily): void {
    const opening: Opening = { bound: this.#bind(id, family).then((socket) => void (socket && Object.assign(opening, { socket }))) };
    this.#sockets.set(id, opening);
  }

  /**
   * Fire and forget, as UDP is: what the system refuses to send (no route, full buffers) counts as lost.
   * On a bound socket the datagram has left when this returns: what is told of it elsewhere comes later.
   */
  send(id: number, to: Endpoint, bytes: Buffer, ttl?: number): void {
    const opening = this.#sockets.get(id);
    if (opening?.socket) sendNow(opening.socket, to, bytes, ttl);
    else void opening?.bound.then(() => opening.socket && sendNow(opening.socket, to, bytes, ttl));
  }

  /** What was sent before still leaves. */
  async close(id: number): Promise<void> {
    const opening = this.#sockets.get(id);
    await opening?.bound;
    if (this.#sockets.delete(id)) await opening?.socket?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#sockets.keys()].map((id) => this.close(id)));
  }

  /** `undefined` where the system has no such socket to give. */
  async #bind(id: number, family: AddressFamily): Promise<SocketAsPromised | undefined> {
    // Never one socket for both families: it would show IPv4 as IPv6, and ignore the TTL of IPv4.
    const socket = DgramAsPromised.createSocket({ type: family === 4 ? "udp4" : "udp6", ipv6Only: family === 6, lookup });
    socket.socket.on("message", (bytes: Buffer, { address, port }: RemoteInfo) => {
      if (this.#sockets.has(id)) this.#handlers.onDatagram(id, { address: canonicalAddress(address), port }, bytes);
    });
    socket.socket.on("error", () => {});
    const address = await socket.bind({ port: 0, address: family === 4 ? "0.0.0.0" : "::" }).catch(() => undefined);
    // Behind the one who waits for the socket, so that what is sent on being told leaves at once.
    queueMicrotask(() => this.#handlers.onOpened(id, address?.port));
    return address && socket;
  }
}

function sendNow({ socket }: SocketAsPromised, to: Endpoint, bytes: Buffer, ttl: number | undefined): void {
  if (ttl !== undefined) socket.setTTL(ttl);
  socket.send(bytes, to.port, to.address, () => {});
  if (ttl !== undefined) socket.setTTL(DEFAULT_TTL);
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
