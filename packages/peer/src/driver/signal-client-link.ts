import { type Endpoint, MAX_SIGNAL_DATA, type SignalRelay, type UnlinkReason } from "@awl/wire";

/** Why a link ended: `closed` by this side, `lost` with the connection to the rendezvous, or as the rendezvous says. */
export type SignalLinkEnd = UnlinkReason | "closed" | "lost" | (string & {});

/** Bytes to and from one peer, in order, forwarded by a rendezvous. It carries a stream: how the bytes were cut is not kept. */
export interface SignalLink {
  /** Its number on this connection. */
  readonly link: number;
  /** Where the other side's connection comes from, as seen by the rendezvous. */
  readonly observed: Endpoint;
  /** Sends a copy. What is sent on a link that has ended is lost. */
  send(bytes: Uint8Array): void;
  /** Hands over what arrives, and what has arrived before this call. One handler. */
  onData(handler: (bytes: Uint8Array) => void): void;
  /** Called once, behind the last data; at once if the link has ended already. One handler. */
  onClose(handler: (end: SignalLinkEnd) => void): void;
  /** The listener's to say: the other side is let in. The rendezvous then names relays to both. */
  admit(): void;
  /** Hands over the relays that the rendezvous names for this link, the latest if there were some before this call. One handler. */
  onRelays(handler: (relays: readonly SignalRelay[]) => void): void;
  /** Ends it on both sides. May be called again. */
  close(): void;
}

/** What may have arrived before anybody listens, bytes. */
const MAX_UNHEARD = 256 * 1024;

/** A link, with the connection's side of it. */
export class ConnectionLink implements SignalLink {
  readonly link: number;
  readonly observed: Endpoint;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #say: (what: "unlink" | "admit") => void;
  #relays: readonly SignalRelay[] | undefined;
  #onRelays: ((relays: readonly SignalRelay[]) => void) | undefined;
  #unheard: Uint8Array[] = [];
  #unheardBytes = 0;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #onClose: ((end: SignalLinkEnd) => void) | undefined;
  #end: SignalLinkEnd | undefined;

  /**
   * @param send puts at most MAX_SIGNAL_DATA bytes on the connection
   * @param say tells the rendezvous that this side ended it, or let the other one in
   */
  constructor(link: number, observed: Endpoint, send: (bytes: Uint8Array) => void, say: (what: "unlink" | "admit") => void) {
    this.link = link;
    this.observed = observed;
    this.#send = send;
    this.#say = say;
  }

  send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#end === undefined; at += MAX_SIGNAL_DATA) {
      this.#send(bytes.subarray(at, at + MAX_SIGNAL_DATA));
    }
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler;
    const unheard = this.#unheard;
    this.#unheard = [];
    for (const bytes of unheard) handler(bytes);
  }

  onClose(handler: (end: SignalLinkEnd) => void): void {
    this.#onClose = handler;
    if (this.#end !== undefined) handler(this.#end);
  }

  close(): void {
    if (this.#end !== undefined) return;
    this.ended("closed");
    this.#say("unlink");
  }

  admit(): void {
    if (this.#end === undefined) this.#say("admit");
  }

  onRelays(handler: (relays: readonly SignalRelay[]) => void): void {
    this.#onRelays = handler;
    if (this.#relays) handler(this.#relays);
  }

  /** The rendezvous named relays. */
  relayed(relays: readonly SignalRelay[]): void {
    this.#relays = relays;
    this.#onRelays?.(relays);
  }

  /** Data arrived. */
  receive(bytes: Uint8Array): void {
    if (this.#end !== undefined) return;
    if (this.#onData) return this.#onData(bytes);
    this.#unheardBytes += bytes.length;
    if (this.#unheardBytes > MAX_UNHEARD) return this.close();
    this.#unheard.push(bytes);
  }

  /** It is over. */
  ended(end: SignalLinkEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#onClose?.(end);
  }
}
