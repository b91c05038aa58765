import { Command } from "commander";
import type { Arguments } from "../arguments.js";
import { DEFAULT_ALT_PORT, DEFAULT_PORT } from "../options.js";
import { once, oneLine, repeatable } from "./usage.js";
import { version } from "./version.js";

/** What the command line says. */
export interface Invocation extends Arguments {
  readonly json?: true;
}

/**
 * Reads the command line.
 *
 * @param argv what stands behind the program's name
 * @throws {CommanderError} after it wrote its one line; `exitCode` 0 after --help and --version
 */
export function readCommandLine(argv: readonly string[]): Invocation {
  return program().parse(argv, { from: "user" }).opts();
}

function program(): Command {
  return new Command("rendezvous")
    .description("The public host where two peers behind NATs meet.")
    .version(version)
    .option("--host <addr>", "address of this host to serve, repeatable (default: all)", repeatable)
    .option("--port <n>", `TCP and UDP port (default: ${DEFAULT_PORT})`, once("--port"))
    .option("--alt-port <n>", `second UDP port, for RFC 5780 (default: ${DEFAULT_ALT_PORT})`, once("--alt-port"))
    .option("--alt-host <addr>", "second address, for RFC 5780 (default: the second --host)", once("--alt-host"))
    .option("--external-ip <pub[/local]>", "public address of a 1:1 NAT, repeatable", repeatable)
    .option("--no-relay", "relay nothing")
    .option("--relay-ports <low-high>", "UDP ports of the relay (default: 49152-65535)", once("--relay-ports"))
    .option("--turn <uri[?weight=n]>", "TURN server to send peers to, repeatable (not built yet)", repeatable)
    .option("--turn-secret <s>", "shared secret of TURN credentials, repeatable: the first signs (default: random)", repeatable)
    .option("--token <t>", "what a listener must show to be let in (not built yet)", once("--token"))
    .option("--tls-cert <file>", "certificate chain, PEM: TLS on the TCP port", once("--tls-cert"))
    .option("--tls-key <file>", "private key, PEM", once("--tls-key"))
    .option("--nats <url>", "NATS server that joins many rendezvous (not built yet)", once("--nats"))
    .option("--allow-relay-to <cidr>", "range the relay may reach though denied by default, repeatable", repeatable)
    .option("--json", "log as NDJSON on stdout")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine("rendezvous", text)) });
}
