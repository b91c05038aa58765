import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { RendezvousOptions } from "../options.js";
import { makeKey } from "../signal/crowd.test-support.js";
import { heapUsed } from "./heap.test-support.js";
import { createRendezvous, type Rendezvous } from "./rendezvous.js";
import { TestClient } from "./signal-client.test-support.js";

const HOST = "127.0.0.1";
const KEY = makeKey();

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function start(options: RendezvousOptions = {}): Promise<Rendezvous & { url: string; port: number }> {
  const rendezvous = await createRendezvous({ hosts: [HOST], port: 0, altPort: 0, ...options });
  opened.push(rendezvous);
  const port = rendezvous.addresses[0]?.port ?? 0;
  return { ...rendezvous, port, url: `ws://${HOST}:${port}` };
}

async function open(url: string): Promise<TestClient> {
  const client = await TestClient.open(url);
  opened.push({ close: () => client.webSocket.terminate() });
  return client;
}

/** A TCP connection that has asked to become a WebSocket, and does nothing of its own from there on. */
async function raw(port: number): Promise<Socket> {
  const socket = connect(port, HOST);
  opened.push({ close: () => socket.destroy() });
  socket.on("error", () => {});
  socket.write(handshake("/"));
  const [answer] = await once(socket, "data");
  expect(answer.toString("latin1")).toMatch(/^HTTP\/1\.1 101 /);
  return socket;
}

function handshake(path: string): string {
  const key = Buffer.alloc(16).toString("base64");
  return `GET ${path} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("over real WebSockets", () => {
  test("register, knock, and what the two send each other", async () => {
    const { url, port, counters } = await start();
    const listener = new TestClient(url);
    opened.push({ close: () => listener.webSocket.terminate() });
    const welcome = await listener.next("welcome");
    expect(welcome).toMatchObject({ version: 1, observed: { address: HOST, port: expect.any(Number) }, stun: port });
    listener.challenge = welcome.challenge;
    await listener.register(KEY);
    const knocker = await open(`${url}/signal?x=1`);
    const [link, atListener] = await knocker.link(listener, KEY.room);
    const data = "x".repeat(16_384);
    knocker.frame(link, data);
    expect(await listener.nextFrame()).toEqual({ link: atListener, data });
    listener.frame(atListener, "back");
    expect(await knocker.nextFrame()).toEqual({ link, data: "back" });
    expect(counters().signal).toMatchObject({ clients: 2, rooms: 1, links: 1, registered: 1, linked: 1 });
    expect(counters().signal.forwarded).toEqual({ frames: 2, bytes: 16_388 });

    knocker.webSocket.terminate();
    expect(await listener.next("unlinked")).toMatchObject({ link: atListener, reason: "gone" });
    expect(counters().signal).toMatchObject({ clients: 1, links: 0, connected: 2, disconnected: 1 });
  });

  test("all addresses are one place", async () => {
    const { addresses } = await start({ hosts: [HOST, "127.0.0.2"] });
    const [first, second] = addresses.map(({ address, port }) => `ws://${address}:${port}`);
    const listener = await open(first ?? "");
    await listener.register(KEY);
    await (await open(second ?? "")).link(listener, KEY.room);
  });

  test("another path is no WebSocket", async () => {
    const { port } = await start();
    const socket = connect(port, HOST);
    socket.write(handshake("/metrics"));
    const [answer] = await once(socket, "data");
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /);
    await once(socket, "close");
  });
});

describe("a bad client", () => {
  test("that answers no ping is dropped; one that does is not", async () => {
    const { url, port, counters } = await start({ pingMs: 100 });
    const good = await open(url);
    await good.register(KEY);
    const deaf = await raw(port);
    const started = performance.now();
    await once(deaf, "close");
    expect(performance.now() - started).toBeLessThan(1000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(counters().signal).toMatchObject({ silent: 1, clients: 1, rooms: 1 });
  });

  test("whose message is too long is told", async () => {
    const { url, counters } = await start();
    const client = await open(url);
    client.webSocket.send(Buffer.alloc(16_389));
    expect((await client.next("error")).code).toBe("too-large");
    expect(await client.closed).toEqual([1009, "too-large"]);
    expect(counters().signal.errors["too-large"]).toBe(1);
  });

  test("whose message is far too long is not even waited for", async () => {
    const { url } = await start();
    const client = await open(url);
    client.webSocket.send(Buffer.alloc(1_000_000));
    expect((await client.closed)[0]).toBe(1009);
  });

  test("that sends too fast is told", async () => {
    const { url } = await start({ signalLimits: { messageBurst: 20, messageRate: 1 } });
    const client = await open(url);
    for (let i = 0; i < 30; i++) client.frame(0, "x");
    expect((await client.next("error")).code).toBe("too-fast");
    expect(await client.closed).toEqual([1008, "too-fast"]);
  });

  test("that pings too fast is, too", async () => {
    const { url } = await start({ signalLimits: { messageBurst: 20, messageRate: 1 } });
    const client = await open(url);
    for (let i = 0; i < 30; i++) client.webSocket.ping();
    expect((await client.next("error")).code).toBe("too-fast");
  });

  test("that does not register or knock is told", async () => {
    const { url } = await start({ signalLimits: { handshakeMs: 100 } });
    const client = await open(url);
    expect((await client.next("error")).code).toBe("handshake-timeout");
    expect(await client.closed).toEqual([1008, "handshake-timeout"]);
  });

  test("one too many is told", async () => {
    const { url } = await start({ signalLimits: { clientsPerAddress: 1 } });
    const first = await open(url);
    const second = new TestClient(url);
    expect((await second.next("error")).code).toBe("too-many-clients-of-address");
    expect((await second.closed)[0]).toBe(1013);
    first.webSocket.terminate();
    await first.closed;
    await open(url);
  });

  test("that does not read is closed, and what waited for it is freed", async () => {
    const { url, counters } = await start({
      pingMs: 60_000,
      signalLimits: { byteBurst: 1e9, messageBurst: 1e6, frameWaitingBytes: 300_000, waitingBytes: 200_000 },
    });
    const knocker = await open(url);
    const listener = await open(url);
    await listener.register(KEY);
    const [link] = await knocker.link(listener, KEY.room);
    (listener.webSocket as unknown as { _socket: Socket })._socket.pause();
    const before = process.memoryUsage().rss;
    const flood = setInterval(() => {
      for (let i = 0; i < 50; i++) knocker.frame(link, Buffer.alloc(16_384));
    }, 5);
    expect(await knocker.next("unlinked")).toMatchObject({ link, reason: "gone" });
    clearInterval(flood);
    expect(counters().signal.errors["slow-reader"]).toBe(1);
    // It is closed though it reads nothing: not even the close.
    await until(() => counters().signal.clients === 1);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  test("that floods a listener who does not read loses its link, and the listener stays", async () => {
    const { url, counters } = await start({
      pingMs: 60_000,
      signalLimits: { byteBurst: 1e9, messageBurst: 1e6, frameWaitingBytes: 100_000, waitingBytes: 200_000 },
    });
    const [knocker, listener] = [await open(url), await open(url)];
    await listener.register(KEY);
    const [link] = await knocker.link(listener, KEY.room);
    const { _socket } = listener.webSocket as unknown as { _socket: Socket };
    _socket.pause();
    const flood = setInterval(() => {
      for (let i = 0; i < 50; i++) knocker.frame(link, Buffer.alloc(16_384));
    }, 5);
    expect(await knocker.next("unlinked")).toMatchObject({ link, reason: "congested" });
    clearInterval(flood);
    expect(counters().signal).toMatchObject({ rooms: 1, links: 0, clients: 2 });
    _socket.resume();
    let next: { link: number } = await listener.nextFrame();
    const last = counters().signal.forwarded.frames;
    for (let i = 1; i < last; i++) next = await listener.nextFrame();
    expect([next.link, (await listener.next("unlinked")).reason]).toEqual([0, "congested"]);
    await knocker.link(listener, KEY.room);
  });

  test.each([
    ["what is no frame", Buffer.from("GET / HTTP/1.1\r\n\r\n"), 1002],
    ["an unmasked frame", Buffer.from("8100", "hex"), 1002],
    ["text that is no UTF-8", Buffer.from("818100000000ff", "hex"), 1007],
    ["a reserved opcode", Buffer.from("838000000000", "hex"), 1002],
  ])("that sends %s is cut off, and the others notice nothing", async (_name, bytes, code) => {
    const { url, port } = await start();
    const listener = await open(url);
    await listener.register(KEY);
    const bad = await raw(port);
    const received: Buffer[] = [];
    bad.on("data", (chunk) => received.push(chunk));
    bad.write(bytes);
    await once(bad, "close");
    const all = Buffer.concat(received);
    expect(all.indexOf(Buffer.of(0x88, 0x02, code >> 8, code & 0xff))).toBeGreaterThanOrEqual(0);
    await (await open(url)).link(listener, KEY.room);
  });

  test("that fragments a message into crumbs is cut off", async () => {
    const { url } = await start();
    const client = await open(url);
    for (let i = 0; i < 100; i++) client.webSocket.send("x", { fin: false });
    expect((await client.closed)[0]).toBe(1008);
  });

  test("that vanishes in the middle of its handshake leaves nothing", async () => {
    const { port, counters } = await start();
    for (let i = 0; i < 50; i++) {
      const socket = connect(port, HOST);
      socket.on("error", () => {});
      await once(socket, "connect");
      if (i % 2 === 0) socket.write(handshake("/"));
      if (i % 3 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    await until(() => counters().signal.connected === counters().signal.disconnected);
    expect(counters().signal.clients).toBe(0);
  });
});

describe("closing", () => {
  test("clients are told to go elsewhere; those without links are gone at once", async () => {
    const { url, port, close } = await start();
    const client = await open(url);
    await client.register(KEY);
    const deaf = await raw(port);
    const started = performance.now();
    const closing = close();
    await client.next("draining");
    expect(await client.closed).toEqual([1001, "draining"]);
    await expect(fetch(`http://${HOST}:${port}/healthz`)).rejects.toThrow();
    await closing;
    expect(performance.now() - started).toBeLessThan(1600);
    expect(deaf.destroyed || deaf.readableEnded || (await once(deaf, "close"))).toBeTruthy();
  });

  test("those with links may finish", async () => {
    const { url, close } = await start();
    const [listener, knocker] = [await open(url), await open(url)];
    await listener.register(KEY);
    const [link, atListener] = await knocker.link(listener, KEY.room);
    const closing = close();
    await knocker.next("draining");
    await listener.next("draining");
    knocker.frame(link, "last words");
    expect(await listener.nextFrame()).toEqual({ link: atListener, data: "last words" });
    knocker.say({ type: "unlink", link });
    expect(await knocker.closed).toEqual([1001, "draining"]);
    await closing;
  });
});

test("2,000 joins leave nothing behind", { timeout: 60_000 }, async () => {
  const { url, counters } = await start({ signalLimits: { knockRate: 1e6, messageRate: 1e6 } });
  const listener = await open(url);
  await listener.register(KEY);
  const join = async () => {
    const knocker = await TestClient.open(url);
    knocker.say({ type: "knock", version: 1, room: KEY.room });
    knocker.frame((await knocker.next("linked")).link, "hello");
    await listener.next("knocked");
    await listener.nextFrame();
    knocker.webSocket.close();
    await listener.next("unlinked");
    await knocker.closed;
  };
  for (let i = 0; i < 500; i++) await join();
  const before = heapUsed();
  for (let i = 0; i < 1500; i++) await join();
  expect(heapUsed() - before).toBeLessThan(2 * 2 ** 20);
  expect(counters().signal).toMatchObject({ linked: 2000, clients: 1, rooms: 1, links: 0 });
});
