import {
  AdditionalAddressFamily,
  AddressErrorCode,
  DontFragment,
  ErrorCode,
  EvenPort,
  Lifetime,
  Method,
  Nonce,
  PasswordAlgorithms,
  Realm,
  RequestedAddressFamily,
  RequestedTransport,
  ReservationToken,
  Software,
  UnknownAttributes,
  XorMappedAddress,
  XorRelayedAddress,
} from "@awl/wire";
import { describe, expect, test } from "vitest";
import { codeOf, HOME, HOME6, PEER, UDP, World } from "./world.test-support.js";

describe("Allocate", () => {
  test("a stranger is told how to authenticate, and nothing is kept of it", () => {
    const world = new World();
    const answer = world.client().askBare(Method.Allocate, [UDP]);
    expect(answer?.get(ErrorCode)).toEqual({ code: 401, reason: "" });
    expect(answer?.get(Realm)).toBe("awl");
    expect(answer?.get(Nonce)).toMatch(/^obMatJos2gAAA/);
    expect(answer?.get(PasswordAlgorithms)?.map(({ algorithm }) => algorithm)).toEqual([2, 1]);
    expect(world.server.size).toMatchObject({ allocations: 0, users: 0 });
    expect(world.outputs).toEqual([]);
  });

  test("with credentials: relayed address, mapped address, lifetime; and no socket yet", () => {
    const world = new World();
    const client = world.client();
    const answer = client.ask(Method.Allocate, [UDP, Software.of("x")]);
    expect(answer.get(XorRelayedAddress)?.address).toBe(HOME);
    expect(answer.get(XorRelayedAddress)?.port).toBeGreaterThanOrEqual(50_000);
    expect(answer.get(XorMappedAddress)).toEqual(client.from);
    expect(answer.get(Lifetime)).toBe(600);
    expect(world.outputs.map(({ type }) => type)).toEqual(["wake"]);
  });

  test.each(["sha1", "sha256"] as const)("signed with %s, and the answer likewise, for both kinds of key", (algorithm) => {
    for (const hash of ["md5", "sha256"] as const) {
      const client = new World().client();
      Object.assign(client, { algorithm, hash });
      expect(client.relayed().address).toBe(HOME);
    }
  });

  test("a credential issued with realm and nonce needs no first round trip", () => {
    const world = new World();
    const client = world.client(world.issue());
    expect(codeOf(client.askSigned(client.request(Method.Allocate, [UDP])))).toBe(0);
    expect(world.server.counters).toMatchObject({ received: 1, succeeded: 1 });
  });

  test("a retransmitted request is answered the same, byte by byte; another one 437", () => {
    const world = new World();
    const client = world.client();
    client.fetchNonce();
    const request = client.request(Method.Allocate, [UDP]);
    const [first] = client.sendBytes(request);
    world.pass(3);
    expect(client.sendBytes(request)).toEqual([first]);
    expect(client.allocate()).toBe(437);
    expect(world.server.size.allocations).toBe(1);
  });

  test.each([
    ["no REQUESTED-TRANSPORT", [], 400],
    ["TCP", [RequestedTransport.of(6)], 442],
    ["a token that is none", [UDP, ReservationToken.of(Buffer.alloc(8))], 508],
    ["a token and EVEN-PORT", [UDP, ReservationToken.of(Buffer.alloc(8)), EvenPort.of(false)], 400],
    ["a token and a family", [UDP, ReservationToken.of(Buffer.alloc(8)), RequestedAddressFamily.of(4)], 400],
    ["IPv4 as the additional family", [UDP, AdditionalAddressFamily.of(4)], 400],
    ["both family attributes", [UDP, AdditionalAddressFamily.of(6), RequestedAddressFamily.of(4)], 400],
    ["a reserved port of which family?", [UDP, AdditionalAddressFamily.of(6), EvenPort.of(true)], 400],
  ])("%s: refused", (_what, attributes, code) => {
    const world = new World();
    expect(codeOf(world.client().ask(Method.Allocate, attributes))).toBe(code);
    expect(world.server.size).toMatchObject({ allocations: 0, users: 0 });
  });

  test("IPv6, alone or as well", () => {
    const world = new World();
    expect(world.client().relayed([RequestedAddressFamily.of(6)]).address).toBe(HOME6);
    const both = world.client().ask(Method.Allocate, [UDP, AdditionalAddressFamily.of(6)]);
    expect(both.all(XorRelayedAddress).map(({ address }) => address)).toEqual([HOME, HOME6]);
  });

  test("a family that is not served: 440; as the additional one, said beside the other", () => {
    const world = new World({ homes: [{ address: HOME, publicAddress: HOME }] });
    expect(world.client().allocate([RequestedAddressFamily.of(6)])).toBe(440);
    const answer = world.client().ask(Method.Allocate, [UDP, AdditionalAddressFamily.of(6)]);
    expect(answer.all(XorRelayedAddress)).toHaveLength(1);
    expect(answer.get(AddressErrorCode)).toMatchObject({ family: 6, code: 440 });
  });

  test("what must be understood and is not: 420, and its name", () => {
    const world = new World({ dontFragment: false });
    const answer = world.client().ask(Method.Allocate, [UDP, DontFragment.of(true)]);
    expect([codeOf(answer), answer.get(UnknownAttributes)]).toEqual([420, [DontFragment.type]]);
    expect(new World().client().relayed([DontFragment.of(true)]).address).toBe(HOME);
  });

  test.each([
    [1, 600],
    [1200, 1200],
    [99_999, 3600],
  ])("a lifetime of %i s becomes %i", (asked, granted) => {
    expect(
      new World()
        .client()
        .ask(Method.Allocate, [UDP, Lifetime.of(asked)])
        .get(Lifetime),
    ).toBe(granted);
  });

  test("behind a 1:1 NAT the relayed address is the public one, and the socket is bound to the local one", () => {
    const world = new World({ homes: [{ address: "10.1.2.3", publicAddress: HOME }] });
    const client = world.client();
    expect(client.relayed().address).toBe(HOME);
    client.permit(PEER);
    expect(world.take("bind")[0]?.at.address).toBe("10.1.2.3");
  });

  test("EVEN-PORT, and the next port for who has the token: once, and for the same user only", () => {
    const world = new World();
    const answer = world.client().ask(Method.Allocate, [UDP, EvenPort.of(true)]);
    const { port } = answer.get(XorRelayedAddress) ?? { port: 1 };
    const token = answer.get(ReservationToken) ?? Buffer.alloc(8);
    expect(port % 2).toBe(0);
    expect(world.client(world.rest("eve")).allocate([ReservationToken.of(token)])).toBe(508);
    expect(world.client().relayed([ReservationToken.of(token)])).toEqual({ address: HOME, port: port + 1 });
    expect(world.client().allocate([ReservationToken.of(token)])).toBe(508);
  });
});
