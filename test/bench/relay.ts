/** The relay beside coturn and beside a bare socket of Node, one after the other on the same core: CPU time a relayed packet. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Endpoint, encodeChannelData } from "@awl/wire";
import { COTURN, startCoturn } from "../interop/coturn-server.js";
import { type LoopbackSocket, loopbackSocket } from "../interop/loopback.js";
import { table } from "../table.js";
import { BenchClient, type BenchCredential } from "./turn-client.js";

const HOST = "127.0.0.1";
const SECRET = "bench";
const SIZES = [64, 1200];
const ROUNDS = 5;
/** Fewer bytes than a user may send at once. */
const PACKETS = 10_000;
/** Sent at once, then waited for: more than a socket's buffer holds would be lost. */
const BURST = 50;
const CORE = "0";

/** A relay as a process whose CPU time can be read. */
interface Contestant extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Makes a way through it; returns how to send one packet, and who receives it. */
  route(way: Way): Promise<Route>;
}

type Way = "pair to pair" | "one-sided";

interface Route {
  readonly from: LoopbackSocket;
  readonly to: Endpoint;
  readonly receiver: LoopbackSocket;
  packet(size: number): Buffer;
}

export async function run(print: (line: string) => void): Promise<void> {
  await using awl = await startAwl();
  await using coturn = await startCoturnRelay();
  await using bare = await startBare();
  for (const { pid } of [awl, coturn, bare]) execFileSync("taskset", ["-apc", CORE, String(pid)], { stdio: "ignore" });

  print(`CPU microseconds a relayed packet, medians of ${ROUNDS} interleaved rounds of ${PACKETS} packets; node ${process.version}\n`);
  const rows = [["", "awl", "coturn", "bare dgram", "awl packets/s a core", "beside coturn", "lost"]];
  for (const way of ["pair to pair", "one-sided"] as const) {
    const routes = await Promise.all([awl, coturn, bare].map((one) => one.route(way)));
    for (const size of SIZES) {
      const times: number[][] = [[], [], []];
      let lost = 0;
      for (let round = -1; round < ROUNDS; round++) {
        for (const [i, one] of [awl, coturn, bare].entries()) {
          const route = routes[i] as Route;
          const { us, missing } = await measure(one.pid, route, route.packet(size));
          // The first round warms up.
          if (round >= 0) times[i]?.push(us);
          lost += missing;
        }
      }
      const [ours, theirs, floor] = times.map(median) as [number, number, number];
      const rate = Math.round(1e6 / ours).toString();
      rows.push([
        `${way}, ${size} B`,
        ours.toFixed(1),
        theirs.toFixed(1),
        floor.toFixed(1),
        rate,
        `${(theirs / ours).toFixed(2)}x`,
        `${lost}`,
      ]);
    }
  }
  print(table(rows));
}

async function measure(pid: number, { from, to, receiver }: Route, packet: Buffer): Promise<{ us: number; missing: number }> {
  let received = 0;
  const count = (): void => void received++;
  receiver.socket.on("message", count);
  const before = cpuMicroseconds(pid);
  for (let sent = BURST; sent <= PACKETS; sent += BURST) {
    for (let i = 0; i < BURST; i++) from.send(packet, to);
    const patience = performance.now() + 50;
    while (received < sent && performance.now() < patience) await new Promise((resolve) => setImmediate(resolve));
  }
  await sleep(20);
  const spent = cpuMicroseconds(pid) - before;
  receiver.socket.off("message", count);
  return { us: spent / received, missing: PACKETS - received };
}

/** CPU time of all threads of a process. */
function cpuMicroseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1000,
    0,
  );
}

async function startAwl(): Promise<Contestant> {
  const bin = fileURLToPath(import.meta.resolve("@awl/rendezvous")).replace(/dist\/.*$/, "bin/rendezvous.js");
  const options = ["--json", "--host", HOST, "--port", "0", "--alt-port", "0", "--turn-secret", SECRET, "--allow-relay-to", "127.0.0.0/8"];
  const { child, lines } = start(process.execPath, [bin, ...options]);
  const { port } = JSON.parse(await nextLine(lines)).addresses[0];
  const username = `${Math.trunc(Date.now() / 1000) + 3600}:bench`;
  const credential = { username, password: createHmac("sha1", SECRET).update(username).digest("base64") };
  return turnContestant("awl", child.pid ?? 0, { address: HOST, port }, credential, () => stop(child));
}

async function startCoturnRelay(): Promise<Contestant> {
  const coturn = await startCoturn();
  return turnContestant("coturn", coturn.pid, { address: HOST, port: coturn.port }, COTURN, () => coturn[Symbol.asyncDispose]());
}

async function startBare(): Promise<Contestant> {
  const { child, lines } = start(process.execPath, [fileURLToPath(new URL("../../bench/fixtures/bare-relay.mjs", import.meta.url))]);
  const to = { address: HOST, port: Number(await nextLine(lines)) };
  const [from, receiver] = [await loopbackSocket(), await loopbackSocket()];
  child.stdin?.write(`${receiver.port}\n`);
  await nextLine(lines);
  return {
    name: "bare dgram",
    pid: child.pid ?? 0,
    route: async () => ({ from, to, receiver, packet: (size) => Buffer.alloc(size) }),
    async [Symbol.asyncDispose]() {
      await Promise.all([from, receiver].map((socket) => socket[Symbol.asyncDispose]()));
      await stop(child);
    },
  };
}

function turnContestant(
  name: string,
  pid: number,
  server: Endpoint,
  credential: BenchCredential,
  end: () => PromiseLike<void>,
): Contestant {
  const sockets: AsyncDisposable[] = [];
  const opened = <T extends AsyncDisposable>(socket: T): T => {
    sockets.push(socket);
    return socket;
  };
  const packet = (size: number) => encodeChannelData(0x4000, Buffer.alloc(size));
  return {
    name,
    pid,
    async route(way) {
      const a = opened(await BenchClient.open(server, credential));
      const relayed = await a.allocate();
      if (way === "one-sided") {
        const receiver = opened(await loopbackSocket());
        await a.bind(0x4000, { address: HOST, port: receiver.port });
        return { from: a.link, to: server, receiver, packet };
      }
      const b = opened(await BenchClient.open(server, credential));
      await a.bind(0x4000, await b.allocate());
      await b.bind(0x4001, relayed);
      return { from: a.link, to: server, receiver: b.link, packet };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
      await end();
    },
  };
}

function start(program: string, args: readonly string[]): { child: ChildProcess; lines: Interface } {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  return { child, lines: createInterface(child.stdout as NonNullable<typeof child.stdout>) };
}

async function nextLine(lines: Interface): Promise<string> {
  const [line] = await once(lines, "line");
  return line;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, "exit");
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
