/** Stable codes of {@link PeerError}. */
export type PeerErrorCode =
  /** A command line that is malformed or contradicts itself. */
  | "usage"
  /** A command of the contract that does not exist yet. */
  | "not-built";

/** What a peer throws. */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: PeerErrorCode;

  constructor(code: PeerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
