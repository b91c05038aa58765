/**
 * The stream transport without a network: what its machine costs, alone, with Node's streams around it, and sealed.
 *
 * All of it runs in this one process and on one core: both ends' work is counted.
 */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { PeerConnection, Transport } from "@awl/peer";
import { table } from "../table.js";
import { EmulatedLine, type LineOptions } from "./emulated-line.js";

const MB = 1e6;
const CHUNK = Buffer.alloc(65_536, 7);

interface Result {
  readonly name: string;
  readonly megabytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly packets: number;
}

export async function run(print: (line: string) => void): Promise<void> {
  print(`Both ends in one process; node ${process.version}\n`);
  const results = [
    machine("machine, 1,452 B", 200, {}),
    machine("machine, 1,200 B", 200, { maxDatagram: 1_200 }),
    machine("machine, 1 % loss", 200, { loss: 0.01 }),
    await duplexes("as Node streams, in memory", 200),
    await loopback("as Node streams, over UDP on loopback", 200),
    await emulated(60, { mbits: 100, rttMs: 40, loss: 0.01, queue: 500_000 }),
    await emulated(20, { mbits: 20, rttMs: 100, loss: 0.005, queue: 500_000 }),
    await emulated(200, { mbits: 1_000, rttMs: 2, loss: 0, queue: 500_000 }),
  ];
  const rows = results.map(({ name, megabytes, seconds, cpuSeconds, packets }) => [
    name,
    (megabytes / seconds).toFixed(1),
    ((1e3 * cpuSeconds) / megabytes).toFixed(2),
    ((1e6 * cpuSeconds) / packets).toFixed(2),
  ]);
  print(table([["", "MB/s", "CPU ms a MB", "CPU us a packet"], ...rows]));
}

/** Two machines in virtual time, on a line of 1 Gbit/s and 2 ms that loses nothing but what it is told to. */
function machine(name: string, megabytes: number, { maxDatagram = 1_452, loss = 0 }): Result {
  const once = () => {
    const random = lcg();
    const [a, b] = [new Transport(0, { role: "connector", random }), new Transport(0, { role: "listener", random })];
    for (const end of [a, b]) end.changePath(0, { rttMs: 2, maxDatagram });
    const line = new Line(random, loss);
    const stream = a.open();
    let [unsent, received, now] = [megabytes * MB, 0, 0];
    const write = () => {
      while (unsent > 0) {
        const taken = stream?.write(unsent < CHUNK.length ? CHUNK.subarray(0, unsent) : CHUNK) ?? 0;
        unsent -= taken;
        if (taken < CHUNK.length) return;
      }
    };
    write();
    while (received < megabytes * MB) {
      for (let packet = a.poll(now); packet; packet = a.poll(now)) line.send(now, b, packet);
      for (let packet = b.poll(now); packet; packet = b.poll(now)) line.send(now, a, packet);
      now = Math.max(now, Math.min(a.deadline, b.deadline, line.nextAt));
      line.deliver(now);
      for (const event of a.takeEvents()) if (event.type === "writable") write();
      for (const event of b.takeEvents()) {
        if (event.type !== "readable") continue;
        for (let bytes = event.stream.read(); bytes; bytes = event.stream.read()) received += bytes.length;
      }
    }
    return a.stats.packetsSent + b.stats.packetsSent;
  };
  once();
  const timer = startTimer();
  const packets = once();
  return { name, megabytes, packets, ...timer() };
}

/** A queue of 500 kB before 1 Gbit/s, 1 ms each way. */
class Line {
  readonly #random: () => number;
  readonly #loss: number;
  readonly #flying: { at: number; to: Transport; bytes: Uint8Array }[] = [];
  #first = 0;
  #busyUntil = 0;

  constructor(random: () => number, loss: number) {
    this.#random = random;
    this.#loss = loss;
  }

  get nextAt(): number {
    return this.#flying[this.#first]?.at ?? Number.POSITIVE_INFINITY;
  }

  send(now: number, to: Transport, packet: Uint8Array): void {
    const start = Math.max(now, this.#busyUntil);
    if (start - now > 4 || this.#random() < this.#loss) return;
    this.#busyUntil = start + packet.length / 125_000;
    this.#flying.push({ at: this.#busyUntil + 1, to, bytes: Uint8Array.from(packet) });
  }

  deliver(now: number): void {
    for (let next = this.#flying[this.#first]; next && next.at <= now; next = this.#flying[this.#first]) {
      this.#first += 1;
      next.to.receive(now, next.bytes);
    }
    if (this.#first < 10_000) return;
    this.#flying.splice(0, this.#first);
    this.#first = 0;
  }
}

/** Two connections that hand each other packets at the next turn of the event loop. */
async function duplexes(name: string, megabytes: number): Promise<Result> {
  const pass = (to: () => PeerConnection) => (packet: Uint8Array) => {
    const copy = Uint8Array.from(packet);
    setImmediate(() => to().receive(copy));
  };
  const a: PeerConnection = new PeerConnection({ role: "connector", send: pass(() => b) });
  const b: PeerConnection = new PeerConnection({ role: "listener", send: pass(() => a) });
  return transfer(name, megabytes, a, b, {});
}

/** The same over a line that is emulated in this process, in real time: how well Node's timers pace. */
function emulated(megabytes: number, options: LineOptions): Promise<Result> {
  const random = lcg();
  const [there, back] = [new EmulatedLine(options, random, () => b), new EmulatedLine(options, random, () => a)];
  const a: PeerConnection = new PeerConnection({ role: "connector", send: (packet) => there.send(packet) });
  const b: PeerConnection = new PeerConnection({ role: "listener", send: (packet) => back.send(packet) });
  const { mbits, rttMs, loss } = options;
  return transfer(`as Node streams, ${mbits} Mbit/s, ${rttMs} ms, ${100 * loss} %`, megabytes, a, b, { rttMs });
}

/** The same over two sockets. */
async function loopback(name: string, megabytes: number): Promise<Result> {
  const sockets = [await bound(), await bound()] as const;
  let isOver = false;
  const send = (from: Socket, to: Socket) => {
    const { port } = to.address();
    return (packet: Uint8Array) => void (isOver || from.send(Buffer.from(packet), port, "127.0.0.1"));
  };
  const a = new PeerConnection({ role: "connector", send: send(sockets[0], sockets[1]) });
  const b = new PeerConnection({ role: "listener", send: send(sockets[1], sockets[0]) });
  sockets[0].on("message", (bytes) => a.receive(bytes));
  sockets[1].on("message", (bytes) => b.receive(bytes));
  try {
    return await transfer(name, megabytes, a, b, { maxDatagram: 1_472 });
  } finally {
    isOver = true;
    for (const socket of sockets) socket.close();
  }
}

async function bound(): Promise<Socket> {
  const lookup = (_: string, __: unknown, done: (error: Error | null, address: string, family: number) => void) =>
    done(null, "127.0.0.1", 4);
  const socket = createSocket({ type: "udp4", lookup, recvBufferSize: 4 << 20 });
  // Before the call: with this lookup it is heard of within it.
  const listening = once(socket, "listening");
  socket.bind(0, "127.0.0.1");
  await listening;
  return socket;
}

async function transfer(name: string, megabytes: number, a: PeerConnection, b: PeerConnection, path: object): Promise<Result> {
  for (const end of [a, b]) end.changePath({ rttMs: 1, ...path });
  const received = new Promise<void>((resolve) => b.on("stream", (stream) => void stream.resume().on("end", resolve)));
  const timer = startTimer();
  const stream = await a.open();
  const chunk = randomBytes(CHUNK.length);
  for (let sent = 0; sent < megabytes * MB; sent += chunk.length) if (!stream.write(chunk)) await once(stream, "drain");
  stream.end();
  await received;
  const taken = timer();
  const packets = a.stats.packetsSent + b.stats.packetsSent;
  for (const end of [a, b]) end.close();
  return { name, megabytes, packets, ...taken };
}

function startTimer(): () => { seconds: number; cpuSeconds: number } {
  const cpu = process.cpuUsage();
  const start = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - start) / 1e3, cpuSeconds: (user + system) / 1e6 };
  };
}

/** Random enough for losses, and the same each time. */
function lcg(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
