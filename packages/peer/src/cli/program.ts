import { Command } from "commander";
import { PeerError } from "../errors.js";
import { count, each, forwarding, once, seconds, serverUrl, target, word } from "./arguments.js";
import { key, listen, ping } from "./commands.js";
import { version } from "./version.js";

/**
 * Reads the command line and does what it says.
 *
 * @param argv what stands behind the program's name
 * @param env AWL_SERVER: the rendezvous for who names none
 * @throws {PeerError} `usage`, `not-built`
 * @throws {CommanderError} after it wrote its one line; `exitCode` 0 after --help and --version
 */
export async function runCommandLine(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<void> {
  if (argv.every((arg) => arg === "--")) throw new PeerError("usage", "no command given; 'peer --help' lists them");
  await program(env).parseAsync(argv, { from: "user" });
}

function program(env: Readonly<Record<string, string | undefined>>): Command {
  const peer = new Command("peer")
    .description("Connects two machines behind NATs, directly wherever that is possible.")
    .version(version)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) });

  command(peer, "key", "print the own public key", (options) => key(options, env)).option(...IDENTITY);

  session(peer, "listen", "print a ticket, and let in who has it", env, (options) => listen(options))
    .option(...IDENTITY)
    .option("--rotate", "make a new secret: earlier tickets become worthless")
    .option("--allow <key>", "let in only this public key, repeatable", each("--allow", word))
    .option("--allow-forward <host:port>", "what a client may forward to, repeatable", each("--allow-forward", target))
    .option("--once", "end after the first session");

  session(peer, "connect", "connect stdin and stdout to a listener").argument(...TICKET);

  session(peer, "ping", "measure the round trip to a listener", undefined, (options, ticket) => ping(ticket, options, env))
    .argument(...TICKET)
    .option("--count <n>", "end after so many replies (default: never)", once("--count", count))
    .option("--interval <seconds>", "time between two (default: 1)", once("--interval", seconds));

  session(peer, "forward", "forward local ports through a listener")
    .argument(...TICKET)
    .option("--tcp <[bind:]port:host:port>", "forward TCP, repeatable", each("--tcp", forwarding))
    .option("--udp <[bind:]port:host:port>", "forward UDP, repeatable", each("--udp", forwarding))
    .hook("preAction", (_peer, forward) => {
      const { tcp, udp } = forward.opts();
      if (!tcp && !udp) throw new PeerError("usage", "forward needs a --tcp or --udp");
    });

  session(peer, "send", "print a ticket, and send files to who has it", env).argument("<file...>", "files to send");

  session(peer, "receive", "receive what a listener sends")
    .argument(...TICKET)
    .option("--out <dir>", "where to put the files (default: here)", once("--out", word))
    .option("--force", "overwrite files that exist");
  return peer;
}

const IDENTITY = ["--identity <file>", "file of the own key pair", once("--identity", word)] as const;
const TICKET = ["<ticket>", "what 'peer listen' or 'peer send' printed", (text: string) => word("TICKET", text)] as const;

type Env = Readonly<Record<string, string | undefined>>;

/** What a command does, with its options and its first argument. */
// biome-ignore lint/suspicious/noExplicitAny: commander's options are what the parsers above made them
type Action = (options: any, argument: string) => Promise<void>;

function command(peer: Command, name: string, description: string, action?: Action): Command {
  const notBuilt: Action = async () => {
    throw new PeerError("not-built", `'peer ${name}' is not built yet`);
  };
  const run = action ?? notBuilt;
  return peer
    .command(name)
    .description(action ? description : `${description} (not built yet)`)
    .version(version)
    .option("--json", "events as NDJSON on stderr")
    .action((...args) => {
      const self = args.at(-1) as Command;
      return run(self.opts(), self.args[0] ?? "");
    });
}

/** A command that opens a session. With `env` it is one that makes tickets, and so has to know a rendezvous. */
function session(peer: Command, name: string, description: string, env?: Env, action?: Action): Command {
  const origin = env ? "$AWL_SERVER" : "the ticket's";
  return command(peer, name, description, action)
    .option("--server <url>", `rendezvous, repeatable (default: ${origin})`, each("--server", serverUrl))
    .option("--direct-only", "rather no session than a relayed one")
    .option("--relay-only", "relay always, and never look for a direct path")
    .hook("preAction", (_peer, self) => {
      const { server, directOnly, relayOnly } = self.opts();
      if (directOnly && relayOnly) throw new PeerError("usage", "--direct-only contradicts --relay-only");
      if (!env || server) return;
      if (!env.AWL_SERVER) throw new PeerError("usage", `${name} needs a rendezvous: --server URL, or AWL_SERVER in the environment`);
      self.setOptionValue("server", [serverUrl("AWL_SERVER", env.AWL_SERVER)]);
    })
    .hook("preAction", (_peer, self) => {
      const unbuilt = action && ["allowForward"].find((option) => self.opts()[option] !== undefined);
      if (unbuilt)
        throw new PeerError("not-built", `--${unbuilt.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is not built yet`);
    });
}

/** Commander's message may have a suggestion on a second line. */
function oneLine(message: string): string {
  return `peer: ${message
    .replace(/^error: /, "")
    .trim()
    .replaceAll("\n", " ")}\n`;
}
