import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Endpoint } from "@awl/wire";
import { listenError } from "./listen-error.js";

/** The HTTP side of one address: `GET /healthz`, for whoever watches over the process. */
export class HttpServer {
  /** The port that was asked for, or the free one that was taken for 0. */
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @throws {RendezvousError} `port-in-use`, `not-this-host`, `no-permission`, `cannot-listen` */
  static async listen({ address, port }: Endpoint): Promise<HttpServer> {
    const server = createServer(BOUNDS, answer);
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(listenError("tcp", { address, port }, error)));
      server.listen({ host: address, port, ipv6Only: true, exclusive: true }, resolve);
    });
    return new HttpServer(server);
  }

  /** Stops listening and drops every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** A health check is one small request: what is larger or slower (milliseconds) is none. */
const BOUNDS = {
  maxHeaderSize: 4096,
  headersTimeout: 3000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
};

/** An address's. Far more than health checks need, and far less than file descriptors there are. */
const MAX_CONNECTIONS = 512;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const healthy = request.url === "/healthz" && (request.method === "GET" || request.method === "HEAD");
  const body = JSON.stringify({ status: healthy ? "ok" : "not found" });
  response.writeHead(healthy ? 200 : 404, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
