/** Stable codes of {@link PeerError}. */
export type PeerErrorCode =
  /** A command line that is malformed or contradicts itself. */
  | "usage"
  /** A command of the contract that does not exist yet. */
  | "not-built"
  /** A text that is no ticket, or a mistyped, shortened or newer one. */
  | "bad-ticket"
  /** The same of a public key. */
  | "bad-key"
  /** An identity file that cannot be read or written, is none, is open to others, or is of a newer version. */
  | "bad-identity-file"
  /** The two sides do not hold the same ticket. */
  | "ticket-refused"
  /** The other side could not prove the key that it claims, or that the ticket names. */
  | "identity-mismatch"
  /** The listener does not let this key in. */
  | "not-allowed"
  /** The other side did not finish the handshake in time. */
  | "handshake-timeout"
  /** What arrived is no handshake, or was changed on its way, or the link ended. */
  | "handshake-failed"
  /** An established channel ended without a goodbye: the link broke, or somebody changed what it carried. */
  | "channel-lost"
  /** No rendezvous could be reached, or the connection to it broke. */
  | "rendezvous-unreachable"
  /** A rendezvous was reached, and nobody is listening there. */
  | "no-such-listener"
  /** A rendezvous said no, for the reason in the message. */
  | "rendezvous-refused"
  /** No path of any allowed kind could be found. */
  | "no-path"
  /** The other side ended the session. */
  | "session-ended"
  /** The other side gave up a stream, or wants no more of it; `applicationCode` says why. */
  | "stream-reset"
  /** The connection that a stream belongs to has ended. */
  | "connection-closed"
  /** The caller's signal said so. */
  | "aborted";

/** What a peer throws. */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: PeerErrorCode;
  /** The number that the other side gave, where it gave one. */
  readonly applicationCode: number | undefined;

  constructor(code: PeerErrorCode, message: string, applicationCode?: number) {
    super(message);
    this.code = code;
    this.applicationCode = applicationCode;
  }
}
