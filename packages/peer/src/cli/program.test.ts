import { describe, expect, test } from "vitest";
import { runCommandLine } from "./program.js";

const SERVER = "ws://192.0.2.1:3478";
const ENV = { AWL_SERVER: SERVER };

/** Every command with every option of the contract: it is read to its end, and only then found not to exist. */
const CONTRACT: readonly (readonly string[])[] = [
  ["key"],
  ["key", "--identity", "id.json", "--json"],
  ["listen"],
  ["listen", "--server", SERVER, "--server", "wss://rendezvous.example", "--identity", "id.json", "--rotate", "--once", "--json"],
  ["listen", "--allow", "KEY1", "--allow", "KEY2", "--allow-forward", "localhost:22", "--allow-forward", "[::1]:53", "--direct-only"],
  ["listen", "--relay-only"],
  ["connect", "TICKET", "--server", SERVER, "--json"],
  ["connect", "--server", SERVER, "TICKET"],
  ["ping", "TICKET", "--count", "3", "--interval", "0.2", "--json"],
  ["forward", "TICKET", "--tcp", "8080:localhost:80", "--tcp", "127.0.0.1:8443:web:443", "--udp", "[::1]:5353:[2001:db8::1]:53"],
  ["forward", "--tcp", "0:localhost:80", "TICKET"],
  ["send", "a.txt", "b.txt", "--server", SERVER, "--json"],
  ["receive", "TICKET", "--out", "downloads", "--force", "--json"],
];

test.each(CONTRACT)("peer %s %s", async (...argv) => {
  await expect(runCommandLine(argv, ENV)).rejects.toMatchObject({
    name: "PeerError",
    code: "not-built",
    message: `'peer ${argv[0]}' is not built yet`,
  });
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
