import type { Endpoint } from "@awl/wire";
import type { ConnectionId, RelayId } from "./allocation.js";

export type TurnInput =
  /** A datagram came to the served address `local`, by index. Its memory is the machine's now. `from`: canonical. */
  | { readonly type: "datagram"; readonly local: number; readonly from: Endpoint; readonly bytes: Buffer }
  /** A TCP or TLS connection was opened to the served address `local`. */
  | { readonly type: "connected"; readonly connection: ConnectionId; readonly local: number; readonly from: Endpoint }
  /** A STUN or ChannelData message came on it. Its memory is the machine's now. */
  | { readonly type: "frame"; readonly connection: ConnectionId; readonly bytes: Buffer }
  /** The connection is closed, whoever closed it. */
  | { readonly type: "disconnected"; readonly connection: ConnectionId }
  /** A datagram came to a relay's socket. Its memory is the machine's now. `from`: canonical. */
  | { readonly type: "relayed"; readonly relay: RelayId; readonly from: Endpoint; readonly bytes: Buffer }
  /** The socket that was asked for is there. */
  | { readonly type: "bound"; readonly relay: RelayId }
  /** It could not be bound, or it has failed. */
  | { readonly type: "unbound"; readonly relay: RelayId }
  /** A deadline may have passed. */
  | { readonly type: "tick" };

export type TurnOutput =
  /** A datagram to a client, from the socket of the served address `local`. */
  | { readonly type: "send"; readonly local: number; readonly to: Endpoint; readonly bytes: Uint8Array }
  /** A message to a client on its connection. One that is `data` may be dropped if too much waits already. */
  | { readonly type: "write"; readonly connection: ConnectionId; readonly bytes: Uint8Array; readonly data: boolean }
  /** A datagram to a peer, from the relay's socket. */
  | { readonly type: "forward"; readonly relay: RelayId; readonly to: Endpoint; readonly bytes: Uint8Array }
  /** Bind a socket, and say `bound` or `unbound`. */
  | { readonly type: "bind"; readonly relay: RelayId; readonly at: Endpoint }
  /** Close the relay's socket; nothing more is to come of it. */
  | { readonly type: "release"; readonly relay: RelayId }
  | { readonly type: "close"; readonly connection: ConnectionId }
  /** Hand in a tick at this time at the latest. */
  | { readonly type: "wake"; readonly at: number };

/** Collects what is to be done. */
export class Outbox {
  #outputs: TurnOutput[] = [];

  put(output: TurnOutput): void {
    this.#outputs.push(output);
  }

  take(): TurnOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}
