import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { encodeChannelData, encodeMessage, Method } from "@awl/wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LinkInput, RelayLinks } from "./relay-links.js";

const LOOPBACK = "127.0.0.1";

let server: Server;
let port: number;
let links: RelayLinks;
const inputs: LinkInput[] = [];
let heard: () => void = () => {};

beforeEach(async () => {
  inputs.length = 0;
  server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
  links = new RelayLinks((input) => {
    inputs.push(input);
    heard();
  });
});

afterEach(async () => {
  await links.closeAll();
  server.close();
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise<void>((resolve) => (heard = resolve));
}

/** A TCP link, and the server's end of it. */
async function openStream(): Promise<Socket> {
  links.perform({ type: "open", link: 0, transport: "tcp", endpoint: { address: LOOPBACK, port }, host: LOOPBACK });
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.on("error", () => {});
  await until(() => inputs.length === 1);
  expect(inputs).toEqual([{ type: "opened", link: 0 }]);
  return socket;
}

test("a stream is cut into frames", async () => {
  const socket = await openStream();
  const frames = ["one", "three"].map((text) => encodeChannelData(0x4001, Buffer.from(text), true));
  const bytes = Buffer.concat(frames);
  socket.write(bytes.subarray(0, 5));
  socket.write(bytes.subarray(5));
  await until(() => inputs.length === 3);
  expect(inputs.slice(1)).toEqual(frames.map((frame) => ({ type: "datagram", link: 0, bytes: frame })));
});

test("a stream of something else is lost, and left", async () => {
  const socket = await openStream();
  socket.write(Buffer.alloc(8, 0xff));
  await until(() => inputs.length === 2);
  expect(inputs[1]).toEqual({ type: "lost", link: 0, text: "The relay sent what is no TURN." });
  socket.resume();
  await once(socket, "close");
  expect(inputs).toHaveLength(2);
});

test("a connection that the relay ends is lost, once", async () => {
  const socket = await openStream();
  socket.resetAndDestroy();
  await until(() => inputs.length === 2);
  expect(inputs[1]).toMatchObject({ type: "lost", link: 0 });
});

test("a connection that is refused is lost", async () => {
  server.close();
  await once(server, "close");
  links.perform({ type: "open", link: 3, transport: "tcp", endpoint: { address: LOOPBACK, port }, host: LOOPBACK });
  await until(() => inputs.length === 1);
  expect(inputs).toEqual([{ type: "lost", link: 3, text: expect.stringContaining("ECONNREFUSED") }]);
});

test("what is sent before a link is closed still leaves, and closing says nothing", async () => {
  const socket = await openStream();
  const goodbye = encodeMessage({ method: Method.Refresh, class: "request", transactionId: Buffer.alloc(12) });
  links.perform({ type: "send", link: 0, bytes: goodbye });
  links.perform({ type: "close-link", link: 0 });
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  expect(Buffer.concat(chunks)).toEqual(goodbye);
  expect(inputs).toHaveLength(1);
});

test("on a connection that is stuck, data is lost and requests are not", async () => {
  const socket = await openStream();
  socket.pause();
  const data = encodeChannelData(0x4001, Buffer.alloc(1_200), true);
  // The system's buffers take some megabytes before anything waits here.
  const tries = 40_000;
  for (let i = 0; i < tries; i++) links.perform({ type: "send", link: 0, bytes: data });
  const request = encodeMessage({ method: Method.Refresh, class: "request", transactionId: Buffer.alloc(12, 9) });
  links.perform({ type: "send", link: 0, bytes: request });
  links.perform({ type: "close-link", link: 0 });
  let length = 0;
  let last = Buffer.alloc(0);
  for await (const chunk of socket) {
    length += chunk.length;
    last = Buffer.concat([last, chunk]).subarray(-request.length);
  }
  expect(last).toEqual(request);
  expect(length).toBeLessThan(tries * data.length);
});
