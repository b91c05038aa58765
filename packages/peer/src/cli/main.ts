import { CommanderError } from "commander";
import { PeerError } from "../errors.js";
import { runCommandLine } from "./program.js";

try {
  await runCommandLine(process.argv.slice(2), process.env);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** 2: what was typed is wrong. Tells why in one line, unless commander did. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof PeerError)) throw error;
  process.stderr.write(`peer: ${error.message}\n`);
  return 2;
}
