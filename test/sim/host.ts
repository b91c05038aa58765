import { type AddressFamily, addressFamily, type Endpoint } from "@awl/wire";
import type { Network, Packet, Receive } from "./network.js";

/** What systems send with. */
const DEFAULT_TTL = 64;

/** Where ephemeral ports begin on Linux. */
export const FIRST_PORT = 32_768;

/** A machine with an address of one family or of both, and UDP sockets on them. */
export class Host {
  readonly addresses: ReadonlyMap<AddressFamily, string>;
  readonly #networks = new Map<AddressFamily, Network>();
  readonly #sockets = new Map<number, Receive>();
  #nextPort = FIRST_PORT;

  constructor(interfaces: readonly { readonly address: string; readonly network: Network }[]) {
    this.addresses = new Map(interfaces.map(({ address }) => [addressFamily(address), address]));
    for (const { address, network } of interfaces) {
      this.#networks.set(addressFamily(address), network);
      network.plug(address, (packet) => this.#sockets.get(packet.to.port)?.(packet));
    }
  }

  /** A socket on a port not used before, unless it is named; `undefined`: there is no address of that family. */
  bind(family: AddressFamily, receive: Receive, port = this.#nextPort++): Endpoint | undefined {
    const address = this.addresses.get(family);
    if (address === undefined) return undefined;
    this.#sockets.set(port, receive);
    return { address, port };
  }

  close({ port }: Endpoint): void {
    this.#sockets.delete(port);
  }

  send(from: Endpoint, to: Endpoint, bytes: Buffer, ttl = DEFAULT_TTL): void {
    const packet: Packet = { from, to, bytes, ttl };
    this.#networks.get(addressFamily(to.address))?.send(packet);
  }

  /** Open sockets. */
  get size(): number {
    return this.#sockets.size;
  }
}
