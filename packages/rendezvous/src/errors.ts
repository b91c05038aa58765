/** Stable codes of {@link RendezvousError}. */
export type RendezvousErrorCode =
  /** An option that is malformed, or contradicts another one. */
  | "bad-option"
  /** An option of the contract whose feature does not exist yet. */
  | "not-built"
  | "port-in-use"
  /** An address to bind that no interface of this host has. */
  | "not-this-host"
  | "no-permission"
  /** A certificate or a key that cannot be read, or that do not belong together. */
  | "bad-certificate"
  /** Any other refusal of the operating system to bind. */
  | "cannot-listen";

/** What a rendezvous throws: at its start only, and always for something its operator can change. */
export class RendezvousError extends Error {
  override readonly name = "RendezvousError";
  readonly code: RendezvousErrorCode;

  constructor(code: RendezvousErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
