import { describe, expect, test } from "vitest";
import { Pair, patternAt } from "./pair.test-support.js";
import type { TransportEvent } from "./transport-io.js";

const LINE = { mbits: 100, delayMs: 10, queue: 200_000 };

const typesOf = (events: readonly TransportEvent[]) => events.map(({ type }) => type);

test("bytes go both ways on one stream, each direction ends for itself, and both sides forget it", () => {
  const pair = new Pair({ there: LINE });
  pair.listener.answer = 3_000;
  const { id } = pair.connector.send(200_000);
  pair.clock.runUntil(2_000);
  expect(pair.listener.read.get(id)).toBe(200_000);
  expect(pair.connector.read.get(id)).toBe(3_000);
  for (const end of [pair.connector, pair.listener]) {
    expect(end.ended.has(id)).toBe(true);
    expect(end.finished.has(id)).toBe(true);
  }
});

test("half-close: what the other side writes after our end arrives", () => {
  const pair = new Pair({ there: LINE });
  const stream = pair.connector.send(0);
  pair.clock.runUntil(100);
  expect(pair.listener.ended.has(stream.id)).toBe(true);
  const opened = pair.listener.events.find((event) => event.type === "opened");
  if (opened?.type !== "opened") throw new Error("not opened");
  pair.listener.send(5_000, opened.stream);
  pair.clock.runUntil(300);
  expect(pair.connector.read.get(stream.id)).toBe(5_000);
  expect(pair.connector.ended.has(stream.id)).toBe(true);
});

describe("giving up", () => {
  test("reset: the reader hears the code, and what it had not read is gone", () => {
    const pair = new Pair({ there: LINE });
    pair.listener.reads = false;
    const stream = pair.connector.send(2 ** 30);
    pair.clock.runUntil(100);
    stream.reset(42);
    pair.connector.flush();
    pair.clock.runUntil(200);
    expect(pair.listener.events.at(-1)).toMatchObject({ type: "reset", code: 42 });
    const [opened] = pair.listener.events;
    if (opened?.type !== "opened") throw new Error("not opened");
    expect(opened.stream.read()).toBeUndefined();
  });

  test("stop: the writer hears the code, its memory is free, and the connection's window too", () => {
    const pair = new Pair({ there: LINE });
    pair.listener.reads = false;
    for (let round = 0; round < 30; round++) {
      pair.connector.send(1 << 30);
      pair.clock.runUntil(pair.clock.now + 200);
      const opened = pair.listener.events.filter((event) => event.type === "opened").at(-1);
      if (opened?.type !== "opened") throw new Error("not opened");
      opened.stream.stop(7);
      pair.listener.flush();
      pair.clock.runUntil(pair.clock.now + 50);
      expect(pair.connector.events.filter(({ type }) => type === "stopped")).toHaveLength(round + 1);
    }
    // The RESET_STREAM that answers is no news to who wanted no more.
    expect(typesOf(pair.listener.events)).not.toContain("reset");
    pair.listener.reads = true;
    pair.transfer(5_000_000);
  });

  test("after an acknowledged end nothing can be given up any more", () => {
    const pair = new Pair({ there: LINE });
    const stream = pair.connector.send(10);
    pair.clock.runUntil(100);
    stream.reset(1);
    pair.connector.flush();
    pair.clock.runUntil(200);
    expect(typesOf(pair.listener.events)).not.toContain("reset");
  });

  test("a lost RESET_STREAM and a lost STOP_SENDING are repeated", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const pair = new Pair({ seed, there: { ...LINE, loss: 0.5 }, back: { delayMs: 10, loss: 0.5 } });
      const stream = pair.connector.send(100_000_000);
      pair.clock.runUntil(500);
      if (seed % 2) stream.reset(3);
      else stream.stop(3);
      pair.connector.flush();
      pair.clock.runUntil(10_000);
      expect(pair.listener.events).toContainEqual(expect.objectContaining({ type: seed % 2 ? "reset" : "stopped", code: 3 }));
    }
  });
});

describe("windows", () => {
  test("who does not read is sent no more than the windows, and all the rest once it reads", () => {
    const pair = new Pair({ there: LINE, listener: { streamWindow: 1 << 20, connectionWindow: 2 << 20 } });
    pair.listener.reads = false;
    const streams = [0, 1, 2, 3].map(() => pair.connector.send(3_000_000));
    pair.clock.runUntil(5_000);
    const sent = pair.there.sentBytes;
    expect(sent).toBeLessThan(2.4 * 2 ** 20);
    pair.clock.runUntil(60_000);
    expect(pair.there.sentBytes - sent).toBeLessThan(10_000);

    pair.listener.reads = true;
    pair.listener.readAll(pair.listener.events.flatMap((event) => (event.type === "readable" ? event.stream : [])));
    pair.clock.runUntil(65_000);
    expect(streams.map(({ id }) => pair.listener.read.get(id))).toEqual(streams.map(() => 3_000_000));
  });

  test("who reads in drips stalls nobody for good, whatever is lost", () => {
    const line = { ...LINE, loss: 0.1 };
    const pair = new Pair({ there: line, back: line, listener: { streamWindow: 1 << 20, connectionWindow: 2 << 20 } });
    pair.listener.reads = false;
    const { id } = pair.connector.send(8_000_000);
    for (let at = 1_000; at < 60_000; at += 1_000) {
      pair.clock.runUntil(at);
      pair.listener.readAll(pair.listener.events.flatMap((event) => (event.type === "readable" ? event.stream : [])));
    }
    expect(pair.listener.read.get(id)).toBe(8_000_000);
  });

  test("write takes no more than the buffer, and `writable` comes when it has room", () => {
    const pair = new Pair({ there: LINE, connector: { streamBuffer: 300_000, connectionBuffer: 400_000 } });
    const [first, second] = [pair.connector.transport.open(), pair.connector.transport.open()];
    const much = Buffer.alloc(500_000);
    expect(first?.write(much)).toBe(300_000);
    expect(second?.write(much)).toBe(100_000);
    const third = pair.connector.transport.open();
    // Not left out, however much the others hold.
    expect(third?.write(much)).toBe(65_536);
    pair.listener.reads = false;
    pair.connector.flush();
    pair.clock.runUntil(1_000);
    expect(new Set(pair.connector.events.map((event) => event.type === "writable" && event.stream))).toEqual(
      new Set([first, second, third]),
    );
  });
});

test("a thousand streams at once, over a lossy line: all arrive, and none waits for the others", () => {
  const line = { mbits: 50, delayMs: 10, queue: 200_000, loss: 0.02 };
  const pair = new Pair({ there: line, back: line });
  pair.listener.answer = 1_000;
  const streams = Array.from({ length: 1_000 }, (_, i) => pair.connector.send(5_000 + i));
  pair.clock.runUntil(800);
  const halfway = streams.map(({ id }) => pair.listener.read.get(id) ?? 0);
  expect(Math.min(...halfway)).toBeGreaterThan(0);
  pair.clock.runUntil(20_000);
  expect(streams.map(({ id }) => pair.listener.read.get(id))).toEqual(streams.map((_, i) => 5_000 + i));
  expect(streams.map(({ id }) => pair.connector.read.get(id))).toEqual(streams.map(() => 1_000));
});

test("streams come and go without end, never more at once than the peer allows", () => {
  const pair = new Pair({ there: { delayMs: 1 } });
  pair.listener.answer = 0;
  let opened = 0;
  const openAll = () => {
    for (let stream = pair.connector.transport.open(); stream && opened < 5_000; stream = pair.connector.transport.open()) {
      opened += 1;
      pair.connector.send(1, stream);
    }
  };
  pair.connector.onEvent = ({ type }) => type === "openable" && openAll();
  openAll();
  expect(opened).toBe(1_024);
  pair.clock.runUntil(5_000);
  expect(pair.listener.ended.size).toBe(5_000);
});

test("streams of one connection share it evenly", () => {
  const pair = new Pair({ there: LINE });
  const ids = [0, 1, 2, 3, 4].map(() => pair.connector.send(2 ** 30).id);
  pair.clock.runUntil(3_000);
  const read = ids.map((id) => pair.listener.read.get(id) ?? 0);
  expect(Math.min(...read) / Math.max(...read)).toBeGreaterThan(0.9);
});

describe("datagrams", () => {
  test("arrive beside streams, neither starves the other, and none is longer than the path carries", () => {
    const pair = new Pair({ there: LINE });
    const { transport } = pair.connector;
    expect(transport.sendDatagram(Buffer.alloc(transport.maxDatagram + 1))).toBe(false);
    pair.connector.send(2 ** 30);
    let sent = 0;
    const offer = () => {
      while (transport.sendDatagram(patternAt(9, sent, transport.maxDatagram))) sent += 1;
      pair.connector.flush();
      pair.clock.at(pair.clock.now + 1, offer);
    };
    offer();
    pair.clock.runUntil(3_000);
    const datagrams = pair.listener.events.filter((event) => event.type === "datagram");
    const bytes = datagrams.reduce((sum, event) => sum + event.bytes.length, 0);
    expect(datagrams.at(0)?.bytes).toEqual(patternAt(9, 0, datagrams[0]?.bytes.length ?? 0));
    expect(bytes / (bytes + pair.listener.received)).toBeGreaterThan(0.4);
    expect(bytes / (bytes + pair.listener.received)).toBeLessThan(0.6);
    expect((bytes + pair.listener.received) / 3_000).toBeGreaterThan(0.8 * 12_500);
    // One congestion budget: the line's queue is not overrun.
    expect(pair.there.dropped / pair.there.waits.length).toBeLessThan(0.03);
  });

  test("are not repeated when lost", () => {
    const pair = new Pair({ there: { ...LINE, loss: 0.3 } });
    for (let i = 0; i < 200; i++) pair.connector.transport.sendDatagram(Buffer.of(i));
    pair.connector.flush();
    pair.clock.runUntil(5_000);
    const numbers = pair.listener.events.flatMap((event) => (event.type === "datagram" ? event.bytes[0] : []));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

describe("closing", () => {
  test("both sides hear why, once, and then nothing is sent", () => {
    const pair = new Pair({ there: LINE });
    pair.connector.send(2 ** 30);
    pair.clock.runUntil(500);
    pair.connector.transport.close(pair.clock.now, 17, "enough");
    pair.connector.flush();
    pair.clock.runUntil(2_000);
    expect(pair.connector.closed).toMatchObject({ by: "us", code: "application", applicationCode: 17 });
    expect(pair.listener.closed).toMatchObject({ by: "peer", code: "application", applicationCode: 17, text: "enough" });
    for (const end of [pair.connector, pair.listener]) {
      expect(typesOf(end.events).slice(-2)).toEqual(["closed", "drained"]);
      expect(end.transport.deadline).toBe(Number.POSITIVE_INFINITY);
      expect(end.transport.open()).toBeUndefined();
    }
    const { sentBytes } = pair.there;
    pair.clock.runUntil(60_000);
    expect(pair.there.sentBytes).toBe(sentBytes);
  });

  test("a lost CLOSE is repeated to a peer that sends on", () => {
    const pair = new Pair({ there: LINE, back: LINE });
    pair.listener.answer = 2 ** 30;
    pair.connector.send(10);
    pair.clock.runUntil(500);
    pair.there.options.down = true;
    pair.connector.transport.close(pair.clock.now, 0, "");
    pair.connector.flush();
    pair.there.options.down = false;
    pair.clock.runUntil(1_000);
    expect(pair.listener.closed).toMatchObject({ by: "peer" });
  });
});
