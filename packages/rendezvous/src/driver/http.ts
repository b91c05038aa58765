import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Endpoint } from "@awl/wire";
import { listenError } from "./listen-error.js";

/** Takes over the connection of a request to upgrade; `head` is what was read of it already. */
export type Upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer) => void;

/** The HTTP side of one address: `GET /healthz`, for whoever watches over the process, and the way in to WebSockets. */
export class HttpServer {
  /** The port that was asked for, or the free one that was taken for 0. */
  readonly port: number;
  readonly #server: Server;
  /** Connections that speak plain HTTP (so far). */
  readonly #plain = new Set<Duplex>();
  #stopped: Promise<void> | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (connection) => this.#admit(connection));
  }

  /** @throws {RendezvousError} `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen` */
  static async listen({ address, port }: Endpoint): Promise<HttpServer> {
    const server = createServer(BOUNDS, answer);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(listenError("tcp", { address, port }, error)));
      server.listen({ host: address, port, ipv6Only: true, exclusive: true }, resolve);
    });
    return new HttpServer(server);
  }

  /**
   * From now on, requests to upgrade go to `upgrade`.
   *
   * @param sessions how many connections it will keep, at most; more are not accepted
   */
  onUpgrade(sessions: number, upgrade: Upgrade): void {
    this.#server.maxConnections = sessions + MAX_PLAIN_CONNECTIONS;
    this.#server.on("upgrade", (request, connection, head) => {
      this.#plain.delete(connection);
      upgrade(request, connection, head);
    });
  }

  /** Accepts no more connections. Fulfilled when the last one has ended. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => this.#server.close(() => resolve()));
    return this.#stopped;
  }

  /** Stops listening and drops every connection that speaks HTTP. Those upgraded must end by themselves. */
  async close(): Promise<void> {
    const stopped = this.stop();
    this.#server.closeAllConnections();
    await stopped;
  }

  #admit(connection: Duplex): void {
    if (this.#plain.size >= MAX_PLAIN_CONNECTIONS) {
      connection.destroy();
      return;
    }
    this.#plain.add(connection);
    connection.once("close", () => this.#plain.delete(connection));
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

function answer(request: IncomingMessage, response: ServerResponse): void {
  const healthy = request.url === "/healthz" && (request.method === "GET" || request.method === "HEAD");
  const body = JSON.stringify({ status: healthy ? "ok" : "not found" });
  response.writeHead(healthy ? 200 : 404, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
