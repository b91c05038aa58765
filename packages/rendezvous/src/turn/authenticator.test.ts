import { Method, Nonce, PasswordAlgorithms } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { allocated, codeOf, HOME, UDP, World } from "./world.test-support.js";

describe("nonces and credentials", () => {
  test("an hour later a nonce is stale: 438 with a fresh one", () => {
    const world = new World();
    const client = allocated(world);
    client.credential = { ...world.rest("ada", 99_999), nonce: client.credential.nonce };
    world.unixTime += 3601;
    const answer = client.ask(Method.Refresh);
    expect(codeOf(answer)).toBe(438);
    client.credential = { ...client.credential, nonce: answer.get(Nonce) ?? "" };
    expect(codeOf(client.ask(Method.Refresh))).toBe(0);
  });

  test("a stranger's nonce is good for its address alone, an issued one for its username alone", () => {
    const world = new World();
    const client = world.client();
    client.fetchNonce();
    const thief = world.client(client.credential);
    expect(thief.allocate()).toBe(438);
    const issued = world.issue({ user: "a" });
    expect(world.client({ ...world.issue({ user: "b" }), nonce: issued.nonce }).allocate()).toBe(438);
    expect(world.client({ ...issued, nonce: `${issued.nonce.slice(0, -1)}!` }).allocate()).toBe(438);
  });

  test.each([
    ["expired", (world: World) => world.rest("ada", -1)],
    ["of another secret", (world: World) => world.rest("ada", 60, "south")],
    ["no time in it", (world: World) => ({ ...world.rest(), username: "ada" })],
    ["sealed by nobody", (world: World) => world.rest("~c2VhbGVkIGJ5IG5vYm9keSBhdCBhbGwsIG5v")],
  ])("%s: 401", (_what, credential) => {
    const world = new World();
    expect(world.client(credential(world)).allocate()).toBe(401);
    expect(world.server.size.users).toBe(0);
  });

  test("secrets rotate: the first signs, all are accepted", () => {
    const world = new World({ secrets: ["new", "old"] });
    expect(world.client(world.rest("ada", 60, "old")).relayed().address).toBe(HOME);
    expect(world.client(world.rest("ada", 60, "new")).relayed().address).toBe(HOME);
    expect(new World({ secrets: ["new"] }).client(world.issue()).relayed().address).toBe(HOME);
  });

  test("a request that hides what was offered to it is refused: a bid-down attack", () => {
    const world = new World();
    const client = world.client();
    client.fetchNonce();
    const only = [{ algorithm: 1, parameters: Buffer.alloc(0) }];
    expect(codeOf(client.askSigned(client.request(Method.Allocate, [UDP, PasswordAlgorithms.of(only)])))).toBe(400);
  });

  test("what a pair is limited to cannot be read in the username", () => {
    const { username } = new World().issue({ peers: ["9.9.9.9"], pair: "secret-pair" });
    const readable = Buffer.from(username.split("~")[1] ?? "", "base64url").toString("latin1");
    expect(username + readable).not.toMatch(/9\.9\.9\.9|secret-pair/);
    expect(Buffer.byteLength(username)).toBeLessThan(509);
  });

  test("the largest credential there can be fits into USERNAME; a larger one is not issued", () => {
    const world = new World();
    const largest = {
      user: "u".repeat(32),
      pair: "p".repeat(32),
      peers: Array.from({ length: 6 }, (_, i) => `2a00:1450:1111:2222:3333:4444:5555:666${i}`),
      bytes: Number.MAX_SAFE_INTEGER,
    };
    expect(Buffer.byteLength(world.issue(largest).username)).toBeLessThan(509);
    expect(world.client(world.issue(largest)).relayed().address).toBe(HOME);
    expect(() => world.issue({ peers: [...largest.peers, "9.9.9.9"] })).toThrow(RangeError);
    expect(() => world.issue({ user: 'x"' })).toThrow(RangeError);
    expect(() => world.issue({ bytes: 0 })).toThrow(RangeError);
  });
});
