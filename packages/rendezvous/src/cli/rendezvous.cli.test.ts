import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { TestClient } from "../driver/signal-client.test-support.js";
import { makeKey } from "../signal/crowd.test-support.js";

const BIN = fileURLToPath(new URL("../../bin/rendezvous.js", import.meta.url));
const BUILT = existsSync(new URL("../../dist/cli/main.js", import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child;
}

/** Runs it to its end. */
async function run(...args: readonly string[]) {
  const child = start(args);
  const exit = once(child, "close");
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await exit;
  return { code, stdout, stderr };
}

/** Starts it with --json on free ports; resolves with its first line. */
async function listening(...args: readonly string[]) {
  const child = start(["--json", "--port", "0", "--alt-port", "0", ...args]);
  const lines = createInterface(child.stdout);
  const [line] = await once(lines, "line");
  return { child, lines, first: JSON.parse(line) };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

/** A build is needed: `npm test` makes one. In CI its absence is a failure. */
describe.skipIf(!BUILT && !process.env.CI)("the command line, built", { timeout: 20_000 }, () => {
  test("the first line of --json says where it listens", async () => {
    const { first } = await listening("--host", "127.0.0.1", "--host", "127.0.0.2");
    const [{ port, altPort }] = first.addresses;
    expect(first).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      event: "listening",
      signal: `ws://127.0.0.1:${port}`,
      stun: `stun:127.0.0.1:${port}`,
      turn: `turn:127.0.0.1:${port}`,
      alternate: { address: "127.0.0.2", port: altPort },
      addresses: [
        { address: "127.0.0.1", publicAddress: "127.0.0.1", port, altPort, alternate: "127.0.0.2" },
        { address: "127.0.0.2", publicAddress: "127.0.0.2", port, altPort, alternate: "127.0.0.1" },
      ],
    });
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
  });

  test("--no-relay", async () => {
    const { first } = await listening("--host", "127.0.0.1", "--no-relay");
    expect(first.turn).toBeNull();
  });

  test("a 1:1 NAT's public address is what is announced", async () => {
    const { first } = await listening("--host", "127.0.0.1", "--external-ip", "192.0.2.7");
    const [{ port }] = first.addresses;
    expect(first).toMatchObject({ signal: `ws://192.0.2.7:${port}`, stun: `stun:192.0.2.7:${port}`, alternate: null });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s ends it with 0, although a connection is open", async (signal) => {
    const { child, lines, first } = await listening("--host", "127.0.0.1");
    await (await fetch(`http://127.0.0.1:${first.addresses[0].port}/healthz`)).text();
    const last = once(lines, "line");
    const start = performance.now();
    child.kill(signal);
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(JSON.parse((await last)[0])).toMatchObject({ event: "closed", counters: { stun: { received: 0 }, sendErrors: 0 } });
  });

  test("SIGTERM with clients connected: they see it drain, and it ends with 0 within 2 s", async () => {
    const { child, lines, first } = await listening("--host", "127.0.0.1");
    const [idle, listener, knocker] = await Promise.all([1, 2, 3].map(() => TestClient.open(first.signal)));
    const key = makeKey();
    await listener?.register(key);
    if (listener) await knocker?.link(listener, key.room);
    const last = once(lines, "line");
    const start = performance.now();
    child.kill("SIGTERM");
    for (const client of [idle, listener, knocker]) {
      await client?.next("draining");
      expect(await client?.closed).toEqual([1001, "draining"]);
    }
    expect(await exitOf(child)).toBe(0);
    expect(performance.now() - start).toBeLessThan(2000);
    const signal = { connected: 3, disconnected: 3, registered: 1, linked: 1, clients: 0, rooms: 0, links: 0 };
    expect(JSON.parse((await last)[0])).toMatchObject({ event: "closed", counters: { signal } });
  });

  test("a person gets a few aligned lines without colour codes on a pipe", async () => {
    const child = start(["--host", "127.0.0.1", "--host", "127.0.0.2", "--port", "0", "--alt-port", "0"]);
    let text = "";
    for await (const chunk of child.stdout) {
      text += chunk;
      if (text.includes("/healthz")) child.kill("SIGTERM");
    }
    expect(text.replace(/\b\d{4,5}\b/g, "N")).toMatch(
      /^rendezvous \S+\nlistening {2}127\.0\.0\.1:N {2}alternate port N, alternate address 127\.0\.0\.2\n {11}127\.0\.0\.2:N .*\nsignal {5}ws:\/\/127\.0\.0\.1:N\nstun {7}stun:127\.0\.0\.1:N\nturn {7}turn:127\.0\.0\.1:N\nhealth {5}http:\/\/127\.0\.0\.1:N\/healthz\nclosed {5}0 of 0 datagrams answered, 0 links between 0 connections, 0 bytes relayed\n$/,
    );
  });

  test("--help and --version", async () => {
    expect(await run("--help")).toMatchObject({ code: 0, stdout: expect.stringContaining("--allow-relay-to <cidr>"), stderr: "" });
    expect(await run("--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
  });

  test.each([
    [["--hots", "127.0.0.1"], "rendezvous: unknown option '--hots' (Did you mean --host?)"],
    [["--host"], "rendezvous: option '--host <addr>' argument missing"],
    [["extra"], "rendezvous: too many arguments. Expected 0 arguments but got 1."],
    [["--port", "1", "--port", "2"], "rendezvous: --port is given twice"],
    [["--port", "99999"], "rendezvous: --port takes a port from 0 to 65535, not 99999"],
    [["--port", "3479"], "rendezvous: --alt-port must differ from --port: both are 3479"],
    [
      ["--host", "0.0.0.0"],
      "rendezvous: --host 0.0.0.0: each address is bound by itself, for an answer must leave from the one that was asked; leave --host out to serve all",
    ],
    [["--no-relay", "--relay-ports", "1-2"], "rendezvous: --no-relay contradicts --relay-ports"],
    [["--turn", "turn:a.example?weight=2"], "rendezvous: --turn is not built yet"],
    [["--turn", "a.example"], "rendezvous: --turn takes turn:HOST[:PORT][?transport=udp|tcp][&weight=N], not 'a.example'"],
    [["--allow-relay-to", "10.0.0.1/8"], "rendezvous: --allow-relay-to: address bits set behind the prefix length: 10.0.0.1/8"],
    [["--token", "t", "--json"], "rendezvous: --token is not built yet"],
  ])("%j exits 2 with one line", async (args, line) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });

  test("an address of another host exits 1 with one line", async () => {
    const { code, stderr } = await run("--host", "203.0.113.77", "--json");
    expect([code, stderr]).toEqual([1, "rendezvous: 203.0.113.77 is not an address of this host\n"]);
  });

  test("a certificate that is not there exits 1 with one line", async () => {
    const { code, stderr } = await run("--host", "127.0.0.1", "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem");
    expect([code, stderr]).toEqual([1, "rendezvous: cannot read /nowhere.pem: ENOENT: no such file or directory, open '/nowhere.pem'\n"]);
  });

  test("a port in use exits 1 with one line", async () => {
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address();
    const { code, stderr } = await run("--host", "127.0.0.1", "--port", String(port));
    taken.close();
    expect([code, stderr]).toEqual([1, `rendezvous: udp 127.0.0.1:${port} is in use\n`]);
  });
});
