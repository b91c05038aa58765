import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import { canonicalAddress, type Endpoint } from "@awl/wire";
import { peekFirstByte } from "./first-byte.js";
import { listenError } from "./listen-error.js";

/** Takes over the connection of a request to upgrade; `head` is what was read of it already. */
export type Upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer) => void;

/** Takes over a connection that speaks STUN and ChannelData, from its first byte on. */
export type TakeOver = (connection: Duplex, from: Endpoint) => void;

/**
 * The TCP side of one address: `GET /healthz`, for whoever watches over the process, the way in to WebSockets and to the relay,
 * and, with a certificate, the same inside TLS. The first byte of a connection tells which it is.
 */
export class TcpServer {
  /** The port that was asked for, or the free one that was taken for 0. */
  readonly port: number;
  readonly #server: Server;
  readonly #speakHttp: (connection: Duplex) => void;
  readonly #secureContext: SecureContext | undefined;
  /** Connections that speak plain HTTP, or nothing so far. */
  readonly #plain = new Set<Duplex>();
  #takeOver: TakeOver | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(server: Server, secureContext: SecureContext | undefined) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.maxConnections = MAX_PLAIN_CONNECTIONS;
    const [speakHttp] = server.listeners("connection");
    this.#speakHttp = (connection) => speakHttp?.call(server, connection);
    server.removeAllListeners("connection").on("connection", (connection) => this.#admit(connection));
    this.#secureContext = secureContext;
  }

  /** @throws {RendezvousError} `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen` */
  static async listen({ address, port }: Endpoint, secureContext?: SecureContext): Promise<TcpServer> {
    const server = createServer(BOUNDS, answer);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(listenError("tcp", { address, port }, error)));
      server.listen({ host: address, port, ipv6Only: true, exclusive: true }, resolve);
    });
    return new TcpServer(server, secureContext);
  }

  /**
   * From now on, requests to upgrade go to `upgrade`.
   *
   * @param sessions how many connections it will keep, at most; more are not accepted
   */
  onUpgrade(sessions: number, upgrade: Upgrade): void {
    this.#server.maxConnections += sessions;
    this.#server.on("upgrade", (request, connection, head) => {
      this.#plain.delete(connection);
      upgrade(request, connection, head);
    });
  }

  /**
   * From now on, connections that begin with a STUN message go to `takeOver`.
   *
   * @param connections how many it will keep, at most
   */
  onStun(connections: number, takeOver: TakeOver): void {
    this.#server.maxConnections += connections;
    this.#takeOver = takeOver;
  }

  /** Accepts no more connections. Fulfilled when the last one has ended. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => this.#server.close(() => resolve()));
    return this.#stopped;
  }

  /** Stops listening and drops every connection that speaks HTTP, or nothing yet. Those handed over must end by themselves. */
  async close(): Promise<void> {
    const stopped = this.stop();
    this.#server.closeAllConnections();
    for (const connection of this.#plain) connection.destroy();
    await stopped;
  }

  #admit(connection: Socket): void {
    if (this.#plain.size >= MAX_PLAIN_CONNECTIONS) {
      connection.destroy();
      return;
    }
    this.#watch(connection, (byte) => {
      if (byte === TLS_HANDSHAKE && this.#secureContext) this.#secure(connection, this.#secureContext);
      else this.#route(connection, byte);
    });
  }

  #watch(connection: Socket, onFirstByte: (byte: number) => void): void {
    this.#plain.add(connection);
    connection.once("close", () => this.#plain.delete(connection));
    peekFirstByte(connection, onFirstByte);
  }

  /** What stands inside of TLS is told apart like what does not. */
  #secure(connection: Socket, secureContext: SecureContext): void {
    this.#plain.delete(connection);
    const secured = new TLSSocket(connection, { isServer: true, secureContext });
    this.#watch(secured, (byte) => this.#route(secured, byte));
  }

  #route(connection: Socket, byte: number): void {
    const { remoteAddress, remotePort } = connection;
    if (byte > LAST_STUN_BYTE || !this.#takeOver) {
      this.#speakHttp(connection);
      return;
    }
    this.#plain.delete(connection);
    connection.setNoDelay(true);
    // Both are undefined if the client is gone already.
    if (remoteAddress === undefined || remotePort === undefined) connection.destroy();
    else this.#takeOver(connection, { address: canonicalAddress(remoteAddress), port: remotePort });
  }
}

/** A health check or a handshake is one small request: what is larger or slower (milliseconds) is neither. */
const BOUNDS = {
  maxHeaderSize: 4096,
  headersTimeout: 3000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
};

/** An address's. Far more than health checks and handshakes need at once, and far less than file descriptors there are. */
const MAX_PLAIN_CONNECTIONS = 512;

/** RFC 8446 section 5.1: the content type of a ClientHello's record. */
const TLS_HANDSHAKE = 0x16;
/** RFC 8489 section 5: the first two bits of a STUN message are zero, and the type that follows begins with 0x00 to 0x03 in all methods there are. */
const LAST_STUN_BYTE = 0x03;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const healthy = request.url === "/healthz" && (request.method === "GET" || request.method === "HEAD");
  const body = JSON.stringify({ status: healthy ? "ok" : "not found" });
  response.writeHead(healthy ? 200 : 404, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
