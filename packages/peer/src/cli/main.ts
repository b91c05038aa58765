import { CommanderError } from "commander";
import { PeerError, type PeerErrorCode } from "../errors.js";
import { runCommandLine } from "./program.js";

/** Tells why in one line, unless commander did. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof PeerError)) throw error;
  process.stderr.write(`peer: ${error.message}\n`);
  return EXIT_CODES[error.code] ?? 1;
}

const EXIT_CODES: Partial<Record<PeerErrorCode, number>> = {
  usage: 2,
  "not-built": 2,
  "bad-ticket": 2,
  "bad-key": 2,
  "bad-identity-file": 2,
  "ticket-refused": 5,
  "identity-mismatch": 5,
  "not-allowed": 5,
  "no-such-listener": 5,
  "no-path": 6,
  "rendezvous-unreachable": 7,
  "rendezvous-refused": 7,
};

try {
  await runCommandLine(process.argv.slice(2), process.env);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
// Whatever still lingers, a WebSocket whose other end does not close for instance, must not keep a finished command alive.
setTimeout(() => process.exit(), 1_000).unref();
