import { CommanderError } from "commander";
import { parseArguments } from "../arguments.js";
import { createRendezvous } from "../driver/rendezvous.js";
import { RendezvousError } from "../errors.js";
import { readCommandLine } from "./program.js";
import { humanReport, jsonReport } from "./report.js";

try {
  await run();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

async function run(): Promise<void> {
  const { json, ...args } = readCommandLine(process.argv.slice(2));
  const options = parseArguments(args);
  // Whoever read our output may go before us: a server is not to die of that.
  process.stdout.on("error", () => {});
  const report = json ? jsonReport() : humanReport(process.stdout);

  const stopped = stopSignal();
  const rendezvous = await createRendezvous(options);
  report.listening(rendezvous);

  await stopped;
  await rendezvous.close();
  report.closed(rendezvous.counters());
}

/** Fulfilled by the first SIGTERM or SIGINT. A second one kills: the handlers are gone then. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off("SIGTERM", stop).off("SIGINT", stop);
      resolve();
    };
    process.on("SIGTERM", stop).on("SIGINT", stop);
  });
}

/** 2: what was typed is wrong. 1: it cannot be done here. Tells why in one line, unless commander did. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof RendezvousError)) throw error;
  process.stderr.write(`rendezvous: ${error.message}\n`);
  return error.code === "bad-option" || error.code === "not-built" ? 2 : 1;
}
