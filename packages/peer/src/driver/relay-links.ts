import { UdpSockets } from "@awl/nat-probe";
import { type Endpoint, endpointFamily, sameEndpoint } from "@awl/wire";
import type { LinkId, RelaySearchInput, RelaySearchOutput } from "../turn/relay-search-io.js";
import { RelayStream } from "./relay-stream.js";

/** What happens on links, as a `RelaySearch` wants to be told. */
export type LinkInput = Extract<RelaySearchInput, { readonly type: "opened" | "lost" | "datagram" }>;

/** What a `RelaySearch` says of links. */
export type LinkOutput = Extract<RelaySearchOutput, { readonly type: "open" | "send" | "close-link" }>;

/** The sockets and connections of one `RelaySearch`, each on a port of its own. */
export class RelayLinks {
  readonly #feed: (input: LinkInput) => void;
  readonly #trust: { readonly ca?: string };
  readonly #streams = new Map<LinkId, RelayStream>();
  readonly #servers = new Map<LinkId, Endpoint>();
  readonly #sockets: UdpSockets;

  /** `ca`: certificates to trust, PEM. @default those of the system */
  constructor(feed: (input: LinkInput) => void, ca?: string) {
    this.#feed = feed;
    this.#trust = ca === undefined ? {} : { ca };
    this.#sockets = new UdpSockets({
      onDatagram: (link, from, bytes) => this.#received(link, from, bytes),
      onOpened: (link, port) => this.#opened(link, port),
    });
  }

  perform(output: LinkOutput): void {
    switch (output.type) {
      case "open":
        return this.#open(output);
      case "send":
        return this.#send(output.link, output.bytes);
      case "close-link":
        return this.#close(output.link);
    }
  }

  async closeAll(): Promise<void> {
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    this.#servers.clear();
    await this.#sockets.closeAll();
  }

  #open({ link, transport, endpoint, host }: Extract<LinkOutput, { type: "open" }>): void {
    if (transport === "udp") {
      this.#servers.set(link, endpoint);
      return this.#sockets.open(link, endpointFamily(endpoint));
    }
    const stream = new RelayStream(endpoint, transport === "tls" ? { host, ...this.#trust } : undefined, {
      onOpened: () => this.#feed({ type: "opened", link }),
      onLost: (text) => this.#feed({ type: "lost", link, text }),
      onFrame: (bytes) => this.#feed({ type: "datagram", link, bytes }),
    });
    this.#streams.set(link, stream);
  }

  #send(link: LinkId, bytes: Buffer): void {
    const server = this.#servers.get(link);
    if (server) this.#sockets.send(link, server, bytes);
    else this.#streams.get(link)?.send(bytes);
  }

  #close(link: LinkId): void {
    this.#streams.get(link)?.close();
    this.#streams.delete(link);
    if (this.#servers.delete(link)) void this.#sockets.close(link).catch(() => {});
  }

  #opened(link: LinkId, port: number | undefined): void {
    if (!this.#servers.has(link)) return;
    if (port !== undefined) this.#feed({ type: "opened", link });
    else this.#feed({ type: "lost", link, text: "The system has no socket to give." });
  }

  #received(link: LinkId, from: Endpoint, bytes: Buffer): void {
    const server = this.#servers.get(link);
    if (server && sameEndpoint(server, from)) this.#feed({ type: "datagram", link, bytes });
  }
}
