import { once } from "node:events";
import { connect } from "node:net";
import { type Endpoint, StreamFramer } from "@awl/wire";
import { loopbackSocket } from "./loopback.js";

/** One client's way to a STUN or TURN server: whole messages, over either transport. */
export interface TurnLink extends AsyncDisposable {
  readonly transport: "udp" | "tcp";
  readonly local: Endpoint;
  send(message: Uint8Array): void;
  /** The next message, in the order of arrival. */
  receive(): Promise<Buffer>;
}

export async function openLink(transport: "udp" | "tcp", server: Endpoint): Promise<TurnLink> {
  return transport === "udp" ? udpLink(server) : tcpLink(server);
}

async function udpLink(server: Endpoint): Promise<TurnLink> {
  const socket = await loopbackSocket();
  const inbox = new Inbox();
  socket.onMessage((message) => inbox.put(message));
  return {
    transport: "udp",
    local: { address: socket.address, port: socket.port },
    send: (message) => socket.send(message, server),
    receive: () => inbox.take(),
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}

async function tcpLink(server: Endpoint): Promise<TurnLink> {
  const socket = connect(server.port, server.address);
  await once(socket, "connect");
  const inbox = new Inbox();
  const framer = new StreamFramer();
  socket.on("data", (chunk) => {
    const frames = framer.push(chunk);
    if (typeof frames === "string") socket.destroy(new Error(frames));
    else for (const frame of frames) inbox.put(frame);
  });
  return {
    transport: "tcp",
    local: { address: socket.localAddress ?? "", port: socket.localPort ?? 0 },
    send: (message) => void socket.write(message),
    receive: () => inbox.take(),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await once(socket, "close");
    },
  };
}

/** Messages that arrived before they were asked for, and those who ask before one arrives. */
class Inbox {
  readonly #messages: Buffer[] = [];
  #waiting: ((message: Buffer) => void) | undefined;

  put(message: Buffer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(message);
    else this.#messages.push(message);
  }

  async take(): Promise<Buffer> {
    return this.#messages.shift() ?? new Promise((resolve) => (this.#waiting = resolve));
  }
}
