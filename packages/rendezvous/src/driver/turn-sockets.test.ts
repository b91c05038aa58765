import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { get } from "node:https";
import { connect } from "node:net";
import {
  decodeChannelData,
  decodeMessage,
  type Endpoint,
  Lifetime,
  Method,
  RequestedAddressFamily,
  StunMessage,
  XorMappedAddress,
} from "@awl/wire";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { RendezvousOptions } from "../options.js";
import { certificateFiles } from "./certificate.test-support.js";
import { hostAddresses } from "./host-addresses.js";
import { createRendezvous, type Rendezvous } from "./rendezvous.js";
import { TurnClient, type TurnTransport } from "./turn-client.test-support.js";

const HOST = "127.0.0.1";
const SECRET = "north remembers";

const certificate = certificateFiles();
afterAll(() => certificate.remove());

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function start(options: RendezvousOptions = {}): Promise<Rendezvous & { readonly at: Endpoint }> {
  const common = { hosts: [HOST], port: 0, altPort: 0, turnSecrets: [SECRET], allowRelayTo: ["127.0.0.0/8", "::1"] };
  const rendezvous = await createRendezvous({ ...common, ...options });
  opened.push(rendezvous);
  const [{ address, port } = { address: HOST, port: 0 }] = rendezvous.addresses;
  return { ...rendezvous, at: { address, port } };
}

async function open(transport: TurnTransport, at: Endpoint): Promise<TurnClient> {
  const client = await TurnClient.open(transport, at, SECRET);
  opened.push(client);
  return client;
}

/** A peer that says what it is told, and where from. */
async function echo(address = HOST): Promise<Socket> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4").bind(0, address);
  opened.push({ close: () => socket.close() });
  await once(socket, "listening");
  socket.on("message", (bytes, { port }) => socket.send(`${bytes} from ${port}`, port, address));
  return socket;
}

const TRANSPORTS: readonly TurnTransport[] = ["udp", "tcp", "tls"];

describe.each(TRANSPORTS)("a client on %s", (transport) => {
  test("reaches a peer from its relayed address, and is answered; the socket goes with the allocation", async () => {
    const { at, counters } = await start({ tls: certificate });
    const peer = await echo();
    const client = await open(transport, at);
    const relayed = await client.allocate();
    expect(counters().turn?.sockets).toBe(0);
    expect(await client.bind(0x4000, { address: HOST, port: peer.address().port })).toBe(0);
    expect(counters().turn).toMatchObject({ sockets: 1, allocations: 1 });
    client.sendOn(0x4000, "hello");
    const data = Buffer.from(`hello from ${relayed.port}`);
    expect(decodeChannelData(await client.receive())).toEqual({ channel: 0x4000, data });
    expect((await client.ask(Method.Refresh, [Lifetime.of(0)])).class).toBe("success");
    expect(counters().turn).toMatchObject({ sockets: 0, allocations: 0, forwarded: 1, peers: { delivered: 1 } });
  });

  test.each(TRANSPORTS)("reaches one on %s without a socket in between", async (other) => {
    const { at, counters } = await start({ tls: certificate, allowRelayTo: [] });
    const [a, b] = [await open(transport, at), await open(other, at)];
    const [atA, atB] = [await a.allocate(), await b.allocate()];
    expect([await a.bind(0x4000, atB), await b.bind(0x4001, atA)]).toEqual([0, 0]);
    a.sendOn(0x4000, "hello");
    expect(decodeChannelData(await b.receive())).toEqual({ channel: 0x4001, data: Buffer.from("hello") });
    b.sendOn(0x4001, "and back");
    expect(decodeChannelData(await a.receive())).toEqual({ channel: 0x4000, data: Buffer.from("and back") });
    expect(counters().turn).toMatchObject({ sockets: 0, handedOver: 2, forwarded: 0 });
  });
});

test.skipIf(!hostAddresses().includes("::1"))("IPv6 is relayed by an IPv6 address, for who came by IPv4 too", async () => {
  const { at } = await start({ hosts: [HOST, "::1"] });
  const peer = await echo("::1");
  const client = await open("udp", at);
  const { address, port } = await client.allocate([RequestedAddressFamily.of(6)]);
  expect(address).toBe("::1");
  await client.bind(0x4000, { address: "::1", port: peer.address().port });
  client.sendOn(0x4000, "six");
  expect(String((await client.receive()).subarray(4))).toBe(`six from ${port}`);
});

test("a relayed port that another program has: 508, and the relay lives on", async () => {
  const taken = await echo();
  const { port } = taken.address();
  const { at, counters } = await start({ relayPorts: { low: port, high: port } });
  const client = await open("udp", at);
  await client.allocate();
  expect(await client.bind(0x4000, { address: HOST, port: 9 })).toBe(508);
  expect(counters().turn).toMatchObject({ sockets: 0, waiting: 0, allocations: 1 });
});

describe("one TCP port", () => {
  test("health and WebSockets inside of TLS and beside it", async () => {
    const { at } = await start({ tls: certificate });
    const where = `${at.address}:${at.port}`;
    expect((await fetch(`http://${where}/healthz`)).status).toBe(200);
    const [response] = await once(get(`https://${where}/healthz`, { rejectUnauthorized: false, agent: false }), "response");
    expect(response.statusCode).toBe(200);
    response.resume();
    for (const url of [`ws://${where}`, `wss://${where}`]) {
      const webSocket = new WebSocket(url, { rejectUnauthorized: false });
      opened.push({ close: () => webSocket.terminate() });
      const [welcome] = await once(webSocket, "message");
      expect(JSON.parse(String(welcome))).toMatchObject({ type: "welcome", observed: { address: HOST } });
    }
  });

  test("Binding on TCP", async () => {
    const { at } = await start();
    const client = await open("tcp", at);
    const answer = await client.ask(Method.Binding);
    expect(answer.get(XorMappedAddress)).toEqual(client.local);
  });

  test("a first byte that comes alone", async () => {
    const { at } = await start();
    const client = await open("tcp", at);
    const request = client.request(Method.Binding);
    client.write(request.subarray(0, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.write(request.subarray(1));
    expect(decodeMessage(await client.receive())).toBeInstanceOf(StunMessage);
  });

  test("what stops being STUN is cut off", async () => {
    const { at, counters } = await start();
    const client = await open("tcp", at);
    await client.ask(Method.Binding);
    client.write(Buffer.from("GET / HTTP/1.1\r\n\r\n\xff\xff\xff\xff", "latin1"));
    client.write(Buffer.alloc(64 * 1024, 0xff));
    await client.closed;
    while (counters().turn?.connections !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test("TLS that is none is cut off", async () => {
    const { at } = await start({ tls: certificate });
    const socket = connect(at.port, at.address);
    socket.on("error", () => {}).resume();
    socket.write(Buffer.from("160301002a0100", "hex"));
    socket.write(Buffer.alloc(500, 0x16));
    await once(socket, "close");
  });

  test("an allocation ends with its connection", async () => {
    const { at, counters } = await start();
    const client = await open("tcp", at);
    await client.allocate();
    expect(counters().turn).toMatchObject({ allocations: 1, connections: 1 });
    client.close();
    while (counters().turn?.allocations !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(counters().turn?.connections).toBe(0);
  });

  test("who does not read loses data, and costs no memory", async () => {
    const { at, counters } = await start();
    const [a, b] = [await open("udp", at), await TurnClient.open("tcp", at, SECRET)];
    const [atA, atB] = [await a.allocate(), await b.allocate()];
    await a.bind(0x4000, atB);
    await b.bind(0x4001, atA);
    b.pause();
    const data = "x".repeat(1200);
    while (counters().turn?.slowReaders === 0) {
      for (let i = 0; i < 50; i++) a.sendOn(0x4000, data);
      await new Promise((resolve) => setImmediate(resolve));
    }
    b.close();
  });
});

test("without a relay neither UDP nor TCP speaks TURN", async () => {
  const { at, counters } = await start({ relay: false });
  const socket = connect(at.port, at.address);
  socket.write(Buffer.from("000300002112a442000000000000000000000000", "hex"));
  expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1\.1 400 /);
  expect(counters().turn).toBeNull();
});
