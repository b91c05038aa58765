/** Stable codes of {@link WireError}. */
export type WireErrorCode = "bad-address" | "bad-endpoint" | "bad-cidr" | "bad-attribute" | "bad-channel";

/**
 * Thrown for what the *program* gets wrong: text a person typed, a value that does not fit its field.
 * What arrives from the network never throws: decoders return a fault instead.
 */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
