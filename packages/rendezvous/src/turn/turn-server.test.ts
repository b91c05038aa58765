import { encodeMessage, Method, XorMappedAddress } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { accounted, allocated, connected, PEER, World } from "./world.test-support.js";

describe("connections", () => {
  test("Binding is answered there", () => {
    const world = new World();
    const answer = connected(world).askBare(Method.Binding);
    expect(answer?.get(XorMappedAddress)).toEqual({ address: "1.2.3.4", port: 999 });
  });

  test("an allocation ends with its connection", () => {
    const world = new World();
    const client = connected(world);
    client.relayed();
    client.permit(PEER);
    world.feed({ type: "disconnected", connection: 7 });
    expect(world.server.size).toMatchObject({ allocations: 0, connections: 0, users: 0 });
    expect(world.take("release")).toHaveLength(1);
  });

  test("ChannelData is padded to four bytes", () => {
    const world = new World();
    const client = connected(world);
    client.relayed();
    client.bind(0x4000, PEER);
    client.sendOn(0x4000, "abcde");
    const [forward] = world.take("forward");
    expect(String(forward?.bytes)).toBe("abcde");
    const [back] = world.feed({ type: "relayed", relay: forward?.relay ?? -1, from: PEER, bytes: Buffer.from("abcde") }, client);
    expect(back?.toString("hex")).toBe("400000056162636465000000");
  });

  test("one without an allocation is closed after 30 s", () => {
    const world = new World();
    connected(world, 1);
    connected(world, 2).relayed();
    world.pass(31);
    expect(world.take("close")).toEqual([{ type: "close", connection: 1 }]);
  });

  test("too many of all, or of one address, are closed at once", () => {
    const world = new World({ limits: { connections: 3, connectionsPerAddress: 2 } });
    for (let i = 0; i < 3; i++) connected(world, i);
    expect(world.take("close")).toEqual([{ type: "close", connection: 2 }]);
    for (let i = 3; i < 5; i++) world.feed({ type: "connected", connection: i, local: 0, from: { address: `4.4.4.${i}`, port: 1 } });
    expect(world.take("close")).toEqual([{ type: "close", connection: 4 }]);
  });
});

test("what is for no server is counted and dropped", () => {
  const world = new World();
  const client = allocated(world);
  const message = (method: number, kind: "indication" | "success" | "error") =>
    client.sendBytes(encodeMessage({ method, class: kind, transactionId: Buffer.alloc(12) }));
  message(Method.Data, "indication");
  message(Method.Allocate, "success");
  message(Method.Send, "error");
  message(Method.Send, "indication");
  client.sendBytes(Buffer.from("\x01not stun"));
  client.sendBytes(Buffer.alloc(0));
  client.sendOn(0x4000, "x");
  expect(world.server.counters.dropped).toMatchObject({ "not-for-a-server": 3, "bad-send": 1, "too-short": 2, "no-channel": 1 });
  expect(accounted(world.server)).toBe(world.server.counters.received);
});
