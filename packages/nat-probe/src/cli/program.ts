import type { AddressFamily } from "@awl/wire";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { DEFAULT_TIMEOUT_MS } from "../driver/probe.js";
import { NatProbeError } from "../errors.js";
import { parseTarget } from "../target.js";

/** The command line, read once into full values. */
export interface CliOptions {
  /** Empty: the built-in list. */
  readonly servers: readonly string[];
  readonly family: AddressFamily | undefined;
  readonly json: boolean;
  readonly timeoutMs: number;
}

export type CliRequest =
  | { readonly type: "probe"; readonly options: CliOptions }
  /** What `--help` or `--version` asked for. */
  | { readonly type: "print"; readonly text: string };

/**
 * Reads the arguments behind the program's name.
 *
 * @throws {NatProbeError} `usage`, or `not-built` for an option of the contract that has no code yet
 */
export function parseCommandLine(args: readonly string[], env: Readonly<Record<string, string | undefined>>, version: string): CliRequest {
  let printed = "";
  const program = describeProgram(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr: () => {},
    });
  try {
    program.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { type: "print", text: printed };
    throw new NatProbeError("usage", error.message.replace(/^error: /, ""));
  }
  return { type: "probe", options: readOptions(program, env) };
}

const NOT_BUILT = ["lifetime", "hairpin", "watch", "quick"];

function describeProgram(version: string): Command {
  return new Command("nat-probe")
    .description("Tells what kind of NAT or firewall this machine sits behind, and what that means for connecting.")
    .version(version, "--version", "print the version")
    .helpOption("--help", "print this help")
    .argument("[SERVER...]", "HOST[:PORT], stun:HOST[:PORT], or a rendezvous' ws(s):// URL (default: $AWL_SERVER, else public servers)")
    .option("-4", "use IPv4")
    .option("-6", "use IPv6")
    .option("--json", "print one JSON document instead of text")
    .option("--lifetime [MAX_SECONDS]", "measure how long the NAT keeps an idle mapping (not built yet)", seconds)
    .option("--hairpin", "test whether the NAT loops packets back inside (not built yet)")
    .option("--watch", "keep probing, print changes (not built yet)")
    .option("--timeout <MS>", "how long to wait for the first answer, in milliseconds", milliseconds, DEFAULT_TIMEOUT_MS)
    .option("--quick", "mapping only (not built yet)");
}

function readOptions(program: Command, env: Readonly<Record<string, string | undefined>>): CliOptions {
  const flags = program.opts();
  if (flags["4"] && flags["6"]) throw new NatProbeError("usage", "-4 and -6 exclude each other");
  const missing = NOT_BUILT.find((name) => flags[name] !== undefined);
  if (missing) throw new NatProbeError("not-built", `--${missing} is not built yet`);
  const servers = program.args.length > 0 ? program.args : [env.AWL_SERVER ?? ""].filter(Boolean);
  for (const server of servers) parseTarget(server);
  return { servers, family: familyOf(flags), json: flags.json === true, timeoutMs: flags.timeout };
}

function familyOf(flags: Record<string, unknown>): AddressFamily | undefined {
  if (flags["4"]) return 4;
  return flags["6"] ? 6 : undefined;
}

function milliseconds(text: string): number {
  return wholeNumber(text, 1, 600_000);
}

/** Without this, `--lifetime SERVER` would take the server for its number. */
function seconds(text: string): number {
  return wholeNumber(text, 1, 86_400);
}

function wholeNumber(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw new InvalidArgumentError(`Not a whole number from ${least} to ${most}.`);
  return value;
}
