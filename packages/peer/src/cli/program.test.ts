import { describe, expect, test } from "vitest";
import { runCommandLine } from "./program.js";

/** Nobody listens there, should a test ever get as far as to connect. */
const SERVER = "ws://127.0.0.1:1";
const ENV = { AWL_SERVER: SERVER };

/** The options of the contract, command by command. Each line is read to its end, and only then found to ask for what does not exist yet. */
const CONTRACT: readonly (readonly [readonly string[], string])[] = [
  [
    [
      "listen",
      "--server",
      SERVER,
      "--server",
      "wss://127.0.0.1:1",
      "--identity",
      "id.json",
      "--rotate",
      "--once",
      "--json",
      "--relay-only",
      "--allow-forward",
      "localhost:22",
    ],
    "--allow-forward",
  ],
  [
    ["listen", "--allow", "KEY1", "--allow", "KEY2", "--allow-forward", "localhost:22", "--allow-forward", "[::1]:53", "--direct-only"],
    "--allow-forward",
  ],
  [["connect", "TICKET", "--server", SERVER, "--json"], "'peer connect'"],
  [["connect", "--server", SERVER, "TICKET"], "'peer connect'"],
  [
    ["forward", "TICKET", "--tcp", "80:localhost:80", "--tcp", "127.0.0.1:84:web:443", "--udp", "[::1]:53:[2001:db8::1]:53"],
    "'peer forward'",
  ],
  [["forward", "--tcp", "0:localhost:80", "TICKET"], "'peer forward'"],
  [["send", "a.txt", "b.txt", "--server", SERVER, "--json"], "'peer send'"],
  [["receive", "TICKET", "--out", "downloads", "--force", "--json"], "'peer receive'"],
];

test.each(CONTRACT)("peer %j", async (argv, what) => {
  const message = `${what} is not built yet`;
  await expect(runCommandLine(argv, ENV)).rejects.toMatchObject({ name: "PeerError", code: "not-built", message });
});

describe("what is refused", () => {
  const WRONG: readonly (readonly [readonly string[], string])[] = [
    [[], "no command given; 'peer --help' lists them"],
    [["listen", "--direct-only", "--relay-only"], "--direct-only contradicts --relay-only"],
    [["connect", "T", "--relay-only", "--direct-only"], "--direct-only contradicts --relay-only"],
    [["listen", "--server", "http://x"], "--server takes a ws:// or wss:// URL, not 'http://x'"],
    [["listen", "--server", "x"], "--server takes a ws:// or wss:// URL, not 'x'"],
    [["listen", "--allow", ""], "--allow must not be empty"],
    [["listen", "--allow-forward", "localhost"], "--allow-forward takes HOST:PORT, not 'localhost'"],
    [["listen", "--allow-forward", "localhost:0"], "--allow-forward takes HOST:PORT, not 'localhost:0'"],
    [["key", "--identity", "a", "--identity", "b"], "--identity is given twice"],
    [["connect", ""], "TICKET must not be empty"],
    [["ping", "T", "--count", "0"], "--count takes a whole number above 0, not '0'"],
    [["ping", "T", "--count", "1.5"], "--count takes a whole number above 0, not '1.5'"],
    [["ping", "T", "--interval", "0"], "--interval takes seconds above 0, not '0'"],
    [["ping", "T", "--interval", "soon"], "--interval takes seconds above 0, not 'soon'"],
    [["forward", "T"], "forward needs a --tcp or --udp"],
    [["forward", "T", "--tcp", "80:host"], "--tcp takes [BIND:]PORT:HOST:PORT, not '80:host'"],
    [["forward", "T", "--tcp", "80:host:0"], "--tcp takes [BIND:]PORT:HOST:PORT, not '80:host:0'"],
    [["forward", "T", "--tcp", "70000:host:80"], "--tcp takes [BIND:]PORT:HOST:PORT, not '70000:host:80'"],
    [["forward", "T", "--udp", "::1:53:host:53"], "--udp takes [BIND:]PORT:HOST:PORT, not '::1:53:host:53'"],
  ];

  test.each(WRONG)("peer %j", async (argv, message) => {
    await expect(runCommandLine(argv, ENV)).rejects.toMatchObject({ name: "PeerError", code: "usage", message });
  });

  test.each(["listen", "send"])("%s without any rendezvous", async (command) => {
    const argv = command === "send" ? [command, "file"] : [command];
    const wanting = { code: "usage", message: `${command} needs a rendezvous: --server URL, or AWL_SERVER in the environment` };
    await expect(runCommandLine(argv, {})).rejects.toMatchObject(wanting);
    const malformed = { code: "usage", message: "AWL_SERVER takes a ws:// or wss:// URL, not 'x:1'" };
    await expect(runCommandLine(argv, { AWL_SERVER: "x:1" })).rejects.toMatchObject(malformed);
  });

  test("a ticket brings its own rendezvous", async () => {
    await expect(runCommandLine(["connect", "T"], {})).rejects.toMatchObject({ code: "not-built" });
  });
});
