import { addressFamily, type Endpoint } from "@awl/wire";
import { DgramAsPromised, type SocketAsPromised, type SocketAsPromisedOptions } from "dgram-as-promised";
import { listenError } from "./listen-error.js";

/**
 * Binds one UDP socket to one address.
 *
 * @throws {RendezvousError} `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen`; the socket is closed then
 */
export async function bindUdp({ address, port }: Endpoint): Promise<SocketAsPromised> {
  const type = addressFamily(address) === 4 ? "udp4" : "udp6";
  const socket = DgramAsPromised.createSocket({ type, ipv6Only: type === "udp6", lookup: asIs });
  try {
    await socket.bind({ address, port, exclusive: true });
  } catch (error) {
    await socket.close();
    throw listenError("udp", { address, port }, error);
  }
  return socket;
}

/** Node looks up the destination of every datagram; ours are addresses already, and this spares the resolver's cost. */
const asIs: NonNullable<SocketAsPromisedOptions["lookup"]> = (address, _options, callback) =>
  callback(null, address, addressFamily(address));
