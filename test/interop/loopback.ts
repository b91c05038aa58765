import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";

/** A UDP socket on loopback that closes itself with `await using`. */
export interface LoopbackSocket extends AsyncDisposable {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
  send(message: Uint8Array, to: { readonly address: string; readonly port: number }): void;
  onMessage(handle: (message: Buffer, from: RemoteInfo) => void): void;
  /** The next datagram. @throws when none comes within `timeoutMs` */
  receive(timeoutMs?: number): Promise<Buffer>;
}

export async function loopbackSocket(address = "127.0.0.1", port = 0): Promise<LoopbackSocket> {
  const socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return {
    socket,
    address,
    port: socket.address().port,
    send: (message, to) => socket.send(message, to.port, to.address),
    onMessage: (handle) => void socket.on("message", handle),
    async receive(timeoutMs = 2000) {
      const [message] = await once(socket, "message", { signal: AbortSignal.timeout(timeoutMs) });
      return message;
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}
