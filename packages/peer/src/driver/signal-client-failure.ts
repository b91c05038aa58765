import type { SignalErrorCode } from "@awl/wire";
import { PeerError } from "../errors.js";

/** The rendezvous' own code, or: `lost` (no connection, or none any more), `breach` (what it says makes no sense), `closed` (by this side). */
export type SignalFailureCode = SignalErrorCode | "lost" | "breach" | "closed" | (string & {});

/** Why one connection to one rendezvous ended, or one request on it failed. */
export class SignalFailure extends Error {
  override readonly name = "SignalFailure";
  readonly url: string;
  readonly code: SignalFailureCode;

  constructor(url: string, code: SignalFailureCode, message: string) {
    super(message);
    this.url = url;
    this.code = code;
  }
}

/** What is to be told of failures at one or several rendezvous: that which says most. */
export function peerError(failures: readonly SignalFailure[]): PeerError {
  const where = (failure: SignalFailure) => `${failure.url}: ${failure.message}`;
  const absent = failures.find(({ code }) => code === "no-such-room");
  if (absent) return new PeerError("no-such-listener", where(absent));
  const refusal = failures.find(({ code }) => !["lost", "closed", "draining"].includes(code));
  if (refusal) return new PeerError("rendezvous-refused", where(refusal));
  return new PeerError("rendezvous-unreachable", failures.map(where).join("; "));
}
