import type { Socket } from "node:dgram";
import type { Endpoint } from "@awl/wire";
import type { SocketAsPromised } from "dgram-as-promised";
import type { RelayId } from "../turn/allocation.js";
import type { TurnInput } from "../turn/io.js";
import { bindUdp } from "./udp.js";

/** The sockets of relayed addresses that foreign peers may send to. */
export class RelaySockets {
  readonly #feed: (input: TurnInput) => void;
  readonly #onSent: (error: Error | null) => void;
  readonly #sockets = new Map<RelayId, Socket>();
  /** Sockets being bound, and those among them that nobody wants any more. */
  readonly #binding = new Map<RelayId, Promise<void>>();
  readonly #unwanted = new Set<RelayId>();

  constructor(feed: (input: TurnInput) => void, onSent: (error: Error | null) => void) {
    this.#feed = feed;
    this.#onSent = onSent;
  }

  get size(): number {
    return this.#sockets.size;
  }

  send(relay: RelayId, bytes: Uint8Array, to: Endpoint): void {
    this.#sockets.get(relay)?.send(bytes, to.port, to.address, this.#onSent);
  }

  bind(relay: RelayId, at: Endpoint): void {
    const binding = bindUdp(at).then(
      (bound) => this.#settle(relay, bound),
      () => this.#settle(relay, undefined),
    );
    this.#binding.set(relay, binding);
  }

  release(relay: RelayId): void {
    if (this.#binding.has(relay)) this.#unwanted.add(relay);
    this.#sockets.get(relay)?.close();
    this.#sockets.delete(relay);
  }

  async close(): Promise<void> {
    for (const relay of [...this.#sockets.keys(), ...this.#binding.keys()]) this.release(relay);
    await Promise.all(this.#binding.values());
  }

  #settle(relay: RelayId, bound: SocketAsPromised | undefined): void {
    this.#binding.delete(relay);
    if (this.#unwanted.delete(relay)) {
      void bound?.close();
      return;
    }
    if (!bound) return this.#feed({ type: "unbound", relay });
    const { socket } = bound;
    this.#sockets.set(relay, socket);
    socket.on("message", (bytes, from) => this.#feed({ type: "relayed", relay, from, bytes }));
    socket.on("error", () => {
      this.release(relay);
      this.#feed({ type: "unbound", relay });
    });
    this.#feed({ type: "bound", relay });
  }
}
