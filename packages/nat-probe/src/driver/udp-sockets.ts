import { createSocket, type RemoteInfo } from "node:dgram";
import { type AddressFamily, canonicalAddress, type Endpoint } from "@awl/wire";
import { DgramAsPromised, type SocketAsPromised } from "dgram-as-promised";

/** An endpoint's address is already one: without this, every send would go through the resolver's thread pool. */
const lookup = ((address: string, _options: unknown, callback: (error: null, address: string, family: number) => void) =>
  callback(null, address, address.includes(":") ? 6 : 4)) as never;

/**
 * The sockets of one probe. None is closed before the end of the probe, so the system cannot hand out a port twice in it.
 * Bound to the unspecified address of one family: a dual-stack socket would show IPv4 as IPv6.
 */
export class UdpSockets {
  readonly #family: AddressFamily;
  readonly #onDatagram: (socket: number, from: Endpoint, bytes: Buffer) => void;
  readonly #onOpened: (socket: number, port: number) => void;
  readonly #sockets = new Map<number, Promise<SocketAsPromised | undefined>>();
  #closed = false;

  constructor(
    family: AddressFamily,
    onDatagram: (socket: number, from: Endpoint, bytes: Buffer) => void,
    onOpened: (socket: number, port: number) => void,
  ) {
    this.#family = family;
    this.#onDatagram = onDatagram;
    this.#onOpened = onOpened;
  }

  open(id: number): void {
    this.#sockets.set(id, this.#bind(id));
  }

  /** Fire and forget, as UDP is: what the system refuses to send (no route, full buffers) counts as lost. */
  async send(id: number, to: Endpoint, bytes: Buffer): Promise<void> {
    const bound = await this.#sockets.get(id);
    if (!this.#closed) bound?.socket.send(bytes, to.port, to.address, () => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const binding of this.#sockets.values()) await (await binding)?.close();
  }

  /** `undefined` where the system has no socket to give: what is sent on it is lost, which the machine can live with. */
  async #bind(id: number): Promise<SocketAsPromised | undefined> {
    const type = this.#family === 4 ? "udp4" : "udp6";
    const bound = DgramAsPromised.createSocket({ type, ipv6Only: this.#family === 6, lookup });
    bound.socket.on("message", (bytes: Buffer, { address, port }: RemoteInfo) =>
      this.#onDatagram(id, { address: canonicalAddress(address), port }, bytes),
    );
    const address = await bound.bind({ port: 0, address: this.#family === 4 ? "0.0.0.0" : "::" }).catch(() => undefined);
    if (!address) return undefined;
    this.#onOpened(id, address.port);
    return bound;
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
