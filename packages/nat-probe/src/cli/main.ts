import { readFileSync } from "node:fs";
import { probe } from "../driver/probe.js";
import { NatProbeError } from "../errors.js";
import type { Report } from "../report.js";
import { type CliOptions, parseCommandLine } from "./program.js";
import { renderReport } from "./render.js";

/** 0: a result. 2: usage. 3: no server answered. 4: no name resolves, or none to an address of the wanted family. */
async function main(args: readonly string[]): Promise<number> {
  const request = parseCommandLine(args, process.env, version());
  if (request.type === "print") {
    process.stdout.write(request.text);
    return 0;
  }
  const report = await probe(probeOptions(request.options));
  process.stdout.write(request.options.json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report, wantsColor()));
  return exitCode(report);
}

function probeOptions({ servers, family, timeoutMs }: CliOptions) {
  return { timeoutMs, ...(servers.length > 0 && { servers }), ...(family && { family }) };
}

function exitCode(report: Report): number {
  return report.udp === "blocked" ? 3 : 0;
}

function fail(error: unknown): number {
  if (!(error instanceof NatProbeError)) throw error;
  process.stderr.write(`nat-probe: ${error.message}\n`);
  return error.code === "unresolvable" ? 4 : 2;
}

function wantsColor(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR;
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

process.exitCode = await main(process.argv.slice(2)).catch(fail);
