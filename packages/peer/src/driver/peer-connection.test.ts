import { once } from "node:events";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { PeerError } from "../errors.js";
import { randomFrom } from "../random.test-support.js";
import type { CloseReason } from "../transport/transport-io.js";
import { PeerConnection, type PeerConnectionOptions } from "./peer-connection.js";
import type { PeerStream } from "./peer-stream.js";

const open: PeerConnection[] = [];

afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

/** Two connections in one process; what one sends the other receives a turn of the event loop later, unless it is lost. */
function pair({ loss = 0, ...options }: { loss?: number } & Partial<PeerConnectionOptions> = {}) {
  const random = randomFrom(1);
  const pass = (to: () => PeerConnection) => (packet: Uint8Array) => {
    const copy = Buffer.from(packet);
    if (random() >= loss) setImmediate(() => to().receive(copy));
  };
  const connector: PeerConnection = new PeerConnection({ ...options, role: "connector", send: pass(() => listener) });
  const listener: PeerConnection = new PeerConnection({ ...options, role: "listener", send: pass(() => connector) });
  for (const connection of [connector, listener]) {
    connection.changePath({ rttMs: 2 });
    open.push(connection);
  }
  return { connector, listener };
}

/** All that arrives up to the end. (Iterating would destroy the stream there, and with it the other direction.) */
async function collect(stream: PeerStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  await once(stream, "end");
  return Buffer.concat(chunks);
}

async function streams(options: Parameters<typeof pair>[0] = {}) {
  const { connector, listener } = pair(options);
  const accepted = once(listener, "stream") as Promise<[PeerStream]>;
  const ours = await connector.open();
  ours.write("!");
  const [theirs] = await accepted;
  await once(theirs, "readable");
  expect(theirs.read(1)?.toString()).toBe("!");
  return { connector, listener, ours, theirs };
}

test("bytes pass both ways through pipelines, over loss, and each direction ends for itself", async () => {
  const { connector, listener } = pair({ loss: 0.02 });
  const random = randomFrom(2);
  const sent = Buffer.from(Array.from({ length: 1_000_000 }, () => random() * 256));
  listener.on("stream", (stream) => void stream.pipe(stream));
  const stream = await connector.open();
  const chunks = Array.from({ length: 20 }, (_, i) => sent.subarray(50_000 * i, 50_000 * (i + 1)));
  Readable.from(chunks).pipe(stream);
  const received = await collect(stream);
  expect(received.equals(sent)).toBe(true);
});

test("half-close: the end arrives, and the answer after it", async () => {
  const { ours, theirs } = await streams();
  ours.end("question");
  expect((await collect(theirs)).toString()).toBe("question");
  theirs.end("answer");
  expect((await collect(ours)).toString()).toBe("answer");
});

test("backpressure: who is not read can write no more than the windows and buffers hold", async () => {
  const { ours, theirs } = await streams({ streamBuffer: 100_000, streamWindow: 1 << 20 });
  let written = 0;
  const chunk = Buffer.alloc(10_000);
  const writing = (async () => {
    for (; written < 5_000_000; written += chunk.length) if (!ours.write(chunk)) await once(ours, "drain");
    ours.end();
  })();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(written).toBeLessThan(1_500_000);
  expect((await collect(theirs)).length).toBe(5_000_000);
  await writing;
});

test("finish: the other side has everything", async () => {
  const { ours, theirs } = await streams();
  ours.end(Buffer.alloc(200_000));
  theirs.resume();
  await once(ours, "finish");
  expect(theirs.readableLength).toBe(0);
  theirs.end();
  await once(ours.resume(), "close");
});

describe("giving up", () => {
  test("reset: the other side fails with the code", async () => {
    const { ours, theirs } = await streams();
    ours.reset(77);
    const [error] = await once(theirs, "error");
    expect(error).toMatchObject({ code: "stream-reset", applicationCode: 77 });
  });

  test("an abort signal gives the stream up", async () => {
    const { connector, listener } = pair();
    const accepted = once(listener, "stream") as Promise<[PeerStream]>;
    const abort = new AbortController();
    const ours = await connector.open({ signal: abort.signal });
    ours.write("x");
    const [theirs] = await accepted;
    const failed = Promise.all([once(ours, "error"), once(theirs, "error")]);
    abort.abort();
    const [[here], [there]] = await failed;
    expect(here).toMatchObject({ name: "AbortError" });
    expect(there).toMatchObject({ code: "stream-reset" });
    await expect(connector.open({ signal: abort.signal })).rejects.toMatchObject({ code: "aborted" });
  });

  test("a stream that nobody listens for is refused", async () => {
    const { connector } = pair();
    const ours = await connector.open();
    ours.write("x");
    const [error] = await once(ours, "error");
    expect(error).toMatchObject({ code: "stream-reset", applicationCode: 0 });
  });

  test("the end of the connection fails its streams, and who waits for one", async () => {
    const { connector, listener, ours, theirs } = await streams();
    const failed = Promise.all([once(ours, "error"), once(theirs, "error"), once(listener, "close")]);
    connector.close(5, "bye");
    const [[here], [there], [reason]] = await failed;
    expect(here).toBeInstanceOf(PeerError);
    expect(here).toMatchObject({ code: "connection-closed" });
    expect(there).toMatchObject({ code: "connection-closed", applicationCode: 5 });
    expect(reason satisfies CloseReason).toEqual({ by: "peer", code: "application", applicationCode: 5, text: "bye" });
    await expect(connector.open()).rejects.toMatchObject({ code: "connection-closed" });
  });
});

test("who wants more streams than allowed waits for one, or gives up", async () => {
  const { connector, listener } = pair();
  listener.on("stream", (stream) => stream.end().resume());
  const many = await Promise.all(Array.from({ length: 1_024 }, () => connector.open()));
  const abort = new AbortController();
  const given = connector.open({ signal: abort.signal });
  const next = connector.open();
  abort.abort();
  await expect(given).rejects.toMatchObject({ code: "aborted" });
  for (const stream of many) stream.end().resume();
  expect((await next).id).toBe(4 * 1_024);
});

test("datagrams arrive beside streams", async () => {
  const { connector, listener } = pair();
  const arrived = once(listener, "datagram");
  expect(connector.sendDatagram(Buffer.from("hello"))).toBe(true);
  expect(Buffer.from((await arrived)[0]).toString()).toBe("hello");
  expect(connector.sendDatagram(Buffer.alloc(connector.maxDatagram + 1))).toBe(false);
});

test("while there is no path all waits", async () => {
  const { connector, listener, ours, theirs } = await streams();
  connector.losePath();
  ours.end("later");
  let arrived = false;
  const received = collect(theirs).then((bytes) => {
    arrived = true;
    return bytes.toString();
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(arrived).toBe(false);
  for (const connection of [connector, listener]) connection.changePath({ rttMs: 2 });
  expect(await received).toBe("later");
});
