/** Stable codes of {@link NatProbeError}. */
export type NatProbeErrorCode = "usage" | "not-built" | "unresolvable" | "aborted";

/** Why a probe could not even start. What the network does to a probe is never an error: it is the report. */
export class NatProbeError extends Error {
  override readonly name = "NatProbeError";
  readonly code: NatProbeErrorCode;

  constructor(code: NatProbeErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
