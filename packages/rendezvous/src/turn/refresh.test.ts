import { AdditionalAddressFamily, Lifetime, Method, RequestedAddressFamily } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { allocated, codeOf, HOME, PEER, World } from "./world.test-support.js";

describe("Refresh", () => {
  test("an allocation ends when its lifetime does, and its client may have another", () => {
    const world = new World();
    const client = allocated(world);
    world.pass(599);
    expect(codeOf(client.ask(Method.Refresh))).toBe(0);
    world.pass(599);
    expect(world.server.size.allocations).toBe(1);
    world.pass(2);
    expect(world.server.size).toMatchObject({ allocations: 0, users: 0 });
    expect(codeOf(client.ask(Method.Refresh))).toBe(437);
    expect(client.relayed().address).toBe(HOME);
  });

  test("between two sweeps nothing that has expired is used", () => {
    const world = new World();
    const client = allocated(world);
    client.permit(PEER);
    world.now += 600_000;
    client.send(PEER, "late");
    expect(world.take("forward")).toEqual([]);
    expect(client.relayed().address).toBe(HOME);
  });

  test("a lifetime of zero ends it at once and closes its socket", () => {
    const world = new World();
    const client = allocated(world);
    client.permit(PEER);
    expect(client.ask(Method.Refresh, [Lifetime.of(0)]).get(Lifetime)).toBe(0);
    expect(world.take("release")).toHaveLength(1);
    expect(codeOf(client.ask(Method.Refresh, [Lifetime.of(0)]))).toBe(437);
  });

  test("of two relayed addresses one can be given up", () => {
    const world = new World();
    const client = world.client();
    client.relayed([AdditionalAddressFamily.of(6)]);
    expect(codeOf(client.ask(Method.Refresh, [Lifetime.of(0), RequestedAddressFamily.of(6)]))).toBe(0);
    expect(codeOf(client.ask(Method.Refresh, [RequestedAddressFamily.of(6)]))).toBe(443);
    expect(client.permit(PEER)).toBe(0);
    expect(client.permit({ address: "2a00:1450::99", port: 1 })).toBe(443);
  });

  test("another user's request is refused: 441", () => {
    const world = new World();
    const client = allocated(world);
    expect(codeOf(world.client(world.rest("eve"), client.from).ask(Method.Refresh, [Lifetime.of(0)]))).toBe(441);
    expect(world.server.size.allocations).toBe(1);
  });

  test("a newer credential of the same user keeps it", () => {
    const world = new World();
    const client = allocated(world);
    client.credential = world.rest("ada", 7200);
    expect(codeOf(client.ask(Method.Refresh))).toBe(0);
  });
});
