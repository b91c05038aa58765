import { once } from "node:events";
import { encodeServerMessage, encodeSignalFrame, roomOf, type SignalServerMessage } from "@awl/wire";
import { afterEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { closeAll, HOST, knockAt, listen, opened, room, until } from "./signal-client.test-support.js";

afterEach(closeAll);

describe("a hostile rendezvous", () => {
  const OBSERVED = { address: HOST, port: 1 };
  const WELCOME: SignalServerMessage = {
    type: "welcome",
    version: 1,
    challenge: Buffer.alloc(32),
    observed: OBSERVED,
    stun: 1,
    addresses: [],
  };

  /** Sends this to whoever connects. */
  async function scripted(script: (client: WebSocket) => void): Promise<string> {
    const server = new WebSocketServer({ host: HOST, port: 0 });
    opened.push({ close: () => [...server.clients].map((client) => client.terminate()) && server.close() });
    server.on("connection", script);
    await once(server, "listening");
    return `ws://${HOST}:${(server.address() as { port: number }).port}`;
  }

  test.each([
    ["garbage", "nonsense", "what it says is no signalling"],
    ["a newer version", '{"type":"welcome","version":2}', "it speaks another version of the signalling protocol"],
    ["too short a frame", Buffer.alloc(3), "what it sends is no frame"],
  ])("that says %s is refused", async (_name, data, why) => {
    const url = await scripted((client) => client.send(data));
    await expect(knockAt({ urls: [url] })).rejects.toMatchObject({ code: "rendezvous-refused", message: `${url}: ${why}` });
  });

  test("that sends too much at once is left", async () => {
    const url = await scripted((client) => client.send(Buffer.alloc(100_000)));
    await expect(knockAt({ urls: [url] })).rejects.toMatchObject({ code: "rendezvous-unreachable" });
  });

  test("that answers what was not asked gets nowhere", async () => {
    const elsewhere = roomOf(Buffer.alloc(32));
    const url = await scripted((client) => {
      client.send(encodeServerMessage({ type: "registered", room }));
      client.send(encodeServerMessage({ type: "linked", room, link: 3, observed: OBSERVED }));
      client.send(encodeServerMessage(WELCOME));
      client.send('{"type":"weather","sky":"blue"}');
      client.send(encodeSignalFrame(9, Buffer.from("x")));
      client.on("message", () => client.send(encodeServerMessage({ type: "linked", room: elsewhere, link: 4, observed: OBSERVED })));
    });
    const attempt = knockAt({ urls: [url], timings: { timeoutMs: 200 } });
    await expect(attempt).rejects.toMatchObject({ code: "rendezvous-unreachable" });
  });

  test("that announces links without end, or one twice, does not fill the memory", async () => {
    let unlinked = 0;
    const many = await scripted((client) => {
      client.send(encodeServerMessage(WELCOME));
      client.once("message", () => {
        client.send(encodeServerMessage({ type: "registered", room }));
        for (let link = 0; link < 2000; link++) client.send(encodeServerMessage({ type: "knocked", link, observed: OBSERVED }));
        client.on("message", () => unlinked++);
      });
    });
    const listener = listen(many);
    await until(() => unlinked === 976);
    expect(listener.links).toHaveLength(1024);
    listener.close();

    const twice = await scripted((client) => {
      client.send(encodeServerMessage(WELCOME));
      client.once("message", () => {
        client.send(encodeServerMessage({ type: "registered", room }));
        for (let i = 0; i < 2; i++) client.send(encodeServerMessage({ type: "knocked", link: 1, observed: OBSERVED }));
      });
    });
    const confused = listen(twice);
    await until(() => confused.seen.length >= 2);
    expect(confused.seen.slice(0, 2)).toEqual([`up ${twice}`, "down rendezvous-refused"]);
  });

  test("that sends to a link nobody reads does not fill the memory", async () => {
    const unlinked = new Promise((resolve) => {
      void scripted((client) => {
        client.send(encodeServerMessage(WELCOME));
        client.once("message", () => {
          client.send(encodeServerMessage({ type: "linked", room, link: 1, observed: OBSERVED }));
          client.on("message", (data) => resolve(data.toString()));
          for (let i = 0; i < 100; i++) client.send(encodeSignalFrame(1, Buffer.alloc(16_384)));
        });
      }).then((url) => knockAt({ urls: [url] }));
    });
    expect(await unlinked).toBe('{"type":"unlink","link":1}');
  });
});
