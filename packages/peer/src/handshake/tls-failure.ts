import { PeerError } from "../errors.js";
import type { Role } from "./role.js";

/**
 * Why a handshake went wrong, for people.
 *
 * @param error TLS's, with a `code` and, from OpenSSL, a `reason`; the link's own; or none, when it just ended
 */
export function tlsFailure(role: Role, error: Error | undefined): PeerError {
  if (!error) return new PeerError("handshake-failed", "the link ended during the handshake");
  if (error instanceof PeerError) return error.code === "channel-lost" ? new PeerError("handshake-failed", error.message) : error;
  const { code = "", reason = error.message } = error as { code?: string; reason?: string };
  if (role === "listener" && code === BINDER_IS_WRONG) return new PeerError("ticket-refused", "a connector does not hold this ticket");
  if (role === "connector" && BINDER_WAS_REFUSED.includes(code)) return new PeerError("ticket-refused", "the listener refuses this ticket");
  return new PeerError("handshake-failed", `the handshake failed: ${reason.trim()}`);
}

/** RFC 8446 section 4.2.11: the binder is checked before anything else is done for a connector. */
const BINDER_IS_WRONG = "ERR_SSL_BINDER_DOES_NOT_VERIFY";

/** RFC 8446 section 4.2.11 wants the alert `decrypt_error`, OpenSSL sends `illegal_parameter`. Alerts this early are not authenticated. */
const BINDER_WAS_REFUSED: readonly string[] = ["ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER", "ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR"];
