import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { SignalLink } from "./signal-client.js";
import {
  closeAll,
  DEAD,
  HOST,
  knockAt,
  listen,
  listenWith,
  opened,
  proxy,
  record,
  start,
  TIMINGS,
  until,
} from "./signal-client.test-support.js";
import { Backoff } from "./signal-client-backoff.js";

afterEach(closeAll);

describe("a listener and a knocker", () => {
  test("get a link, and what goes over it arrives whole and in order", async () => {
    const { url, port } = await start();
    const listener = listen(url);
    const view = { url, observed: { address: HOST, port: expect.any(Number) }, stun: [{ address: HOST, port }] };
    expect(await listener.ready).toEqual(view);
    const { link, rendezvous } = await knockAt({ urls: [url] });
    expect(rendezvous).toEqual(view);
    await until(() => listener.links.length === 1);
    const [other] = listener.links as [SignalLink];
    expect(other.observed).toEqual(rendezvous.observed);
    expect(link.observed).toEqual((await listener.ready).observed);

    const [atListener, atKnocker] = [record(other), record(link)];
    const long = "0123456789".repeat(10_000);
    link.send(Buffer.from(long));
    link.send(Buffer.from("!"));
    other.send(Buffer.from("hello"));
    await until(() => atListener.text.length > long.length && atKnocker.text.length === 5);
    expect(atListener.text === `${long}!`).toBe(true);
    expect(atKnocker.text).toBe("hello");

    link.close();
    link.close();
    link.send(Buffer.from("lost"));
    await until(() => atListener.end !== undefined);
    expect([atKnocker.end, atListener.end, atListener.text.length]).toEqual(["closed", "left", long.length + 1]);
  });

  test("the listener ends a link: the knocker's connection goes with it, the listener's other links stay", async () => {
    const { url, counters } = await start();
    const listener = listen(url);
    await listener.ready;
    const [first, second] = [await knockAt({ urls: [url] }), await knockAt({ urls: [url] })];
    await until(() => listener.links.length === 2);
    const [atFirst, atSecond] = [record(first.link), record(second.link)];
    listener.links[0]?.close();
    await until(() => counters().signal.clients === 2);
    expect([atFirst.end, atSecond.end]).toEqual(["left", undefined]);
    listener.links[1]?.send(Buffer.from("still here"));
    await until(() => atSecond.text === "still here");
  });

  test("data that comes before anybody listens is kept, the end of the link behind it", async () => {
    const { url } = await start();
    const listener = listen(url);
    await listener.ready;
    const { link } = await knockAt({ urls: [url] });
    link.send(Buffer.from("early"));
    await until(() => listener.links.length === 1);
    link.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(record(listener.links[0] as SignalLink)).toEqual({ text: "early", end: "left" });
  });
});

describe("several rendezvous", () => {
  test("the first is dead: the next one is taken", async () => {
    const { url } = await start();
    const listener = listen(DEAD, url);
    expect((await listener.ready).url).toBe(url);
    expect((await knockAt({ urls: [DEAD, url] })).rendezvous.url).toBe(url);
  });

  test("the listener is at the second of those that live", async () => {
    const [one, two] = [await start(), await start()];
    await listen(two.url).ready;
    expect((await knockAt({ urls: [one.url, two.url] })).rendezvous.url).toBe(two.url);
  });

  test("one that drains sends the listener to the next, where it is found", async () => {
    const [one, two] = [await start(), await start()];
    const listener = listen(one.url, two.url);
    await listener.ready;
    await one.close();
    await until(() => listener.seen.length === 3);
    expect(listener.seen).toEqual([`up ${one.url}`, "down rendezvous-unreachable", `up ${two.url}`]);
    expect((await knockAt({ urls: [one.url, two.url] })).rendezvous.url).toBe(two.url);
  });
});

describe("staying up", () => {
  test("a rendezvous that restarts finds the listener registered again, and links end as lost", async () => {
    const { url, port, altPort, close } = await start();
    const listener = listen(url);
    await listener.ready;
    const atKnocker = record((await knockAt({ urls: [url] })).link);
    await until(() => listener.links.length === 1);
    const atListener = record(listener.links[0] as SignalLink);
    await close();
    const again = knockAt({ urls: [url], persist: true });
    await until(() => listener.seen.filter((event) => event.startsWith("down")).length >= 2);
    expect([atKnocker.end, atListener.end]).toEqual(["lost", "lost"]);
    await start({ port, altPort });
    await again;
    await until(() => listener.links.length === 2);
    expect(listener.seen.at(-1)).toBe(`up ${url}`);
  });

  test("its old connection, half-open, is replaced", async () => {
    const { url, counters } = await start();
    const silent = await proxy(Number(new URL(url).port));
    const listener = listenWith({ urls: [silent.url, url], timings: { ...TIMINGS, silenceMs: 200 } });
    await listener.ready;
    silent.freeze();
    await until(() => listener.seen.length === 3);
    expect(listener.seen).toEqual([`up ${silent.url}`, "down rendezvous-unreachable", `up ${url}`]);
    expect(counters().signal.errors.replaced).toBe(1);
    await knockAt({ urls: [url] });
  });

  test("pings keep a connection that has nothing to say", async () => {
    const { url } = await start({ pingMs: 50 });
    const listener = listenWith({ urls: [url], timings: { ...TIMINGS, silenceMs: 200 } });
    await listener.ready;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(listener.seen).toEqual([`up ${url}`]);
  });

  test("another process with the same identity takes over: the first one does not fight it", async () => {
    const { url } = await start();
    const first = listen(url);
    await first.ready;
    const second = listen(url);
    await second.ready;
    await until(() => first.seen.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([first.seen, second.seen]).toEqual([[`up ${url}`, "closed rendezvous-refused"], [`up ${url}`]]);
  });
});

describe("errors", () => {
  test("nobody answers", async () => {
    await expect(knockAt({ urls: [DEAD, DEAD] })).rejects.toMatchObject({
      code: "rendezvous-unreachable",
      message: `${DEAD}: connect ECONNREFUSED ${HOST}:1; ${DEAD}: connect ECONNREFUSED ${HOST}:1`,
    });
    const listener = listen(DEAD);
    await expect(listener.ready).rejects.toMatchObject({ code: "rendezvous-unreachable" });
  });

  test("nobody is listening", async () => {
    const { url } = await start();
    await expect(knockAt({ urls: [DEAD, url] })).rejects.toMatchObject({
      code: "no-such-listener",
      message: `${url}: no listener is registered there (no-such-room)`,
    });
  });

  test("the rendezvous says no", async () => {
    const { url } = await start({ signalLimits: { clients: 1 } });
    await listen(url).ready;
    const refused = { code: "rendezvous-refused", message: expect.stringContaining("(too-many-clients)") };
    await expect(knockAt({ urls: [url] })).rejects.toMatchObject(refused);
    await expect(listen(url).ready).rejects.toMatchObject(refused);
  });

  test("it is no rendezvous", async () => {
    const { url } = await start();
    await expect(knockAt({ urls: [`${url}/elsewhere`] })).rejects.toMatchObject({
      code: "rendezvous-unreachable",
      message: expect.stringContaining("404"),
    });
  });

  test("it accepts, and says nothing", async () => {
    const server = createServer(() => {}).listen(0, HOST);
    await once(server, "listening");
    opened.push(server);
    const { port } = server.address() as { port: number };
    const attempt = knockAt({ urls: [`ws://${HOST}:${port}`], timings: { timeoutMs: 100 } });
    await expect(attempt).rejects.toMatchObject({ code: "rendezvous-unreachable", message: expect.stringContaining("does not answer") });
  });

  test.each([[[]], [["http://a.example"]], [["ws://a.example/#x"]], [["nonsense"]]])("%j is a mistake", async (urls) => {
    await expect(knockAt({ urls })).rejects.toMatchObject({ code: "usage" });
    expect(() => listen(...urls)).toThrow(expect.objectContaining({ code: "usage" }));
  });

  test("a signal ends it: knocking, listening, or before either began", async () => {
    const { url } = await start();
    const controller = new AbortController();
    const { signal } = controller;
    const knocking = knockAt({ urls: [url, DEAD], persist: true, signal });
    const listener = listenWith({ urls: [DEAD], signal });
    setTimeout(() => controller.abort(), 100);
    await expect(knocking).rejects.toMatchObject({ code: "aborted" });
    await until(() => listener.seen.at(-1) === "closed undefined");
    await expect(knockAt({ urls: [url], signal })).rejects.toMatchObject({ code: "aborted" });
    await expect(listenWith({ urls: [url], signal }).ready).rejects.toMatchObject({ code: "aborted" });
  });

  test("patience is for a listener that comes late, and no longer", async () => {
    const { url } = await start();
    const early = knockAt({ urls: [url], patienceMs: 20_000 });
    await expect(knockAt({ urls: [url], patienceMs: 50 })).rejects.toMatchObject({ code: "no-such-listener" });
    await expect(knockAt({ urls: [DEAD], patienceMs: 20_000 })).rejects.toMatchObject({ code: "rendezvous-unreachable" });
    await listen(url).ready;
    await early;
  });

  test("the signal of a knock does not touch the link that was made", async () => {
    const { url } = await start();
    await listen(url).ready;
    const controller = new AbortController();
    const { link } = await knockAt({ urls: [url], signal: controller.signal });
    const seen = record(link);
    controller.abort();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.end).toBeUndefined();
  });

  test("closed twice, a listener is gone, and its room is", async () => {
    const { url, counters } = await start();
    const listener = listen(url);
    await listener.ready;
    listener.close();
    listener.close();
    await until(() => counters().signal.clients === 0);
    expect(listener.seen).toEqual([`up ${url}`, "closed undefined"]);
    expect(counters().signal.rooms).toBe(0);
  });
});

test("waits grow, within bounds, and differ", () => {
  const backoff = new Backoff({ minBackoffMs: 100, maxBackoffMs: 10_000 });
  const waits = Array.from({ length: 12 }, () => backoff.next());
  for (const [i, wait] of waits.entries()) {
    const full = Math.min(10_000, 100 * 2 ** i);
    expect(wait).toBeGreaterThanOrEqual(full / 2);
    expect(wait).toBeLessThanOrEqual(full);
  }
  expect(new Set(waits).size).toBe(12);
  backoff.reset();
  expect(backoff.next()).toBeLessThanOrEqual(100);
});

test("who is admitted hears of relays, whether or not anybody listens already", async () => {
  const { url, port } = await start();
  const listener = listen(url);
  await listener.ready;
  const { link } = await knockAt({ urls: [url] });
  await until(() => listener.links.length === 1);
  const heard: string[] = [];
  link.onRelays((relays) => heard.push(...relays.flatMap(({ uris }) => uris)));
  listener.links[0]?.admit();
  const uris = [`turn:${HOST}:${port}?transport=udp`, `turn:${HOST}:${port}?transport=tcp`];
  await until(() => heard.length === 2);
  listener.links[0]?.onRelays((relays) => heard.push(...relays.flatMap((relay) => relay.uris)));
  expect(heard).toEqual([...uris, ...uris]);
});
