import {
  ChangeRequest,
  decodeMessage,
  encodeMessage,
  MappedAddress,
  OtherAddress,
  ResponseOrigin,
  ResponsePort,
  Software,
  StunMessage,
  XorMappedAddress,
} from "@awl/wire";
import { type LoopbackSocket, loopbackSocket } from "./loopback.js";

const ADDRESSES = ["127.0.0.1", "127.0.0.2"] as const;

/** A STUN server with RFC 5780's two addresses and two ports, made of nothing but our codec and sockets, for other people's clients. */
export async function behaviourServer(): Promise<AsyncDisposable & { address: string; port: number }> {
  const sockets: LoopbackSocket[] = [];
  const ports = [0, 0];
  for (const address of ADDRESSES) {
    for (const side of [0, 1]) {
      const socket = await loopbackSocket(address, ports[side]);
      ports[side] = socket.port;
      sockets.push(socket);
    }
  }
  const at = (address: number, port: number) => sockets[2 * address + port] as LoopbackSocket;

  for (const [i, asked] of sockets.entries()) {
    asked.onMessage((bytes, from) => {
      const request = decodeMessage(bytes);
      if (!(request instanceof StunMessage) || request.class !== "request") return;
      const { ip, port } = request.get(ChangeRequest) ?? { ip: false, port: false };
      const [ownAddress, ownPort] = [i >> 1, i & 1];
      const origin = at(ownAddress ^ Number(ip), ownPort ^ Number(port));
      const mapped = { address: from.address, port: from.port };
      const answer = encodeMessage({
        method: request.method,
        class: "success",
        transactionId: request.transactionId,
        attributes: [
          MappedAddress.of(mapped),
          XorMappedAddress.of(mapped),
          ResponseOrigin.of(origin),
          OtherAddress.of(at(ownAddress ^ 1, ownPort ^ 1)),
          Software.of("awl"),
        ],
        fingerprint: true,
      });
      origin.send(answer, { ...mapped, port: request.get(ResponsePort) ?? from.port });
    });
  }

  return {
    address: ADDRESSES[0],
    port: at(0, 0).port,
    async [Symbol.asyncDispose]() {
      await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
    },
  };
}
