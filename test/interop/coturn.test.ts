/**
 * Our codec against coturn: as a client of its server over UDP and TCP, and, as a server of nothing but codec and sockets,
 * asked by its clients.
 */
import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import {
  type Attribute,
  type AttributeValue,
  ChannelNumber,
  Data,
  decodeChannelData,
  decodeMessage,
  ErrorCode,
  encodeChannelData,
  encodeMessage,
  Lifetime,
  longTermKey,
  Method,
  Nonce,
  Realm,
  RequestedTransport,
  Software,
  StunMessage,
  UnknownAttributes,
  Username,
  verifyIntegrity,
  XorMappedAddress,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { behaviourServer } from "./behaviour-server.js";
import { COTURN, startCoturn } from "./coturn-server.js";
import { loopbackSocket } from "./loopback.js";
import { openLink, type TurnLink } from "./turn-link.js";

const installed = spawnSync("turnserver", ["--version"]).error === undefined;
// In CI a missing server is no excuse: the set-up fails.
const skip = !installed && process.env.CI !== "true";
if (skip) process.stderr.write("coturn's tests are skipped: turnserver is not installed (Debian: apt-get install coturn)\n");

const key = longTermKey(COTURN.username, COTURN.realm, COTURN.password);

describe.skipIf(skip)("coturn", () => {
  let coturn: Awaited<ReturnType<typeof startCoturn>> | undefined;
  beforeAll(async () => {
    coturn = await startCoturn();
  });
  afterAll(() => coturn?.[Symbol.asyncDispose]());

  const open = (transport: "udp" | "tcp") => openLink(transport, { address: COTURN.address, port: coturn?.port ?? 0 });

  describe.each(["udp", "tcp"] as const)("its server over %s", (transport) => {
    test("Binding", async () => {
      await using link = await open(transport);
      const answer = await ask(link, Method.Binding, [Software.of("awl")]);
      expect(answer).toMatchObject({ method: Method.Binding, class: "success", unknownRequired: [] });
      expect(answer.get(XorMappedAddress)).toEqual(link.local);
      expect(answer.get(Software)).toMatch(/^Coturn/);
    });

    test("an unknown attribute that must be understood: 420, and its name", async () => {
      await using link = await open(transport);
      const unheardOf: Attribute<unknown> = { ...(Software as Attribute<unknown>), type: 0x7abc };
      const answer = await ask(link, Method.Binding, [{ attribute: unheardOf, value: "?" }]);
      expect(answer.get(ErrorCode)).toMatchObject({ code: 420 });
      expect(answer.get(UnknownAttributes)).toContain(0x7abc);
    });

    test("Allocate: refused without credentials, refused with wrong ones, granted and signed with the right ones", async () => {
      await using link = await open(transport);
      const refusal = await ask(link, Method.Allocate, [RequestedTransport.of(17)]);
      expect(refusal).toMatchObject({ method: Method.Allocate, class: "error" });
      expect(refusal.get(ErrorCode)).toMatchObject({ code: 401 });
      expect(refusal.get(Realm)).toBe(COTURN.realm);
      const nonce = refusal.get(Nonce) ?? "";

      const wrong = longTermKey(COTURN.username, COTURN.realm, "byron");
      const second = await ask(link, Method.Allocate, [RequestedTransport.of(17)], { nonce, key: wrong });
      expect(second.get(ErrorCode)).toMatchObject({ code: 401 });

      const grant = await ask(link, Method.Allocate, [RequestedTransport.of(17), Lifetime.of(700)], { nonce, key });
      expect(grant).toMatchObject({ class: "success", unknownRequired: [] });
      expect(verifyIntegrity(grant, "sha1", key)).toBe(true);
      expect(verifyIntegrity(grant, "sha1", wrong)).toBe(false);
      expect(grant.get(XorMappedAddress)).toEqual(link.local);
      expect(grant.get(XorRelayedAddress)?.address).toBe(COTURN.address);
      expect(grant.get(Lifetime)).toBe(700);
    });

    test("relayed to a peer and back: indications by permission, ChannelData by channel", async () => {
      await using peer = await loopbackSocket();
      peer.onMessage((message, from) => peer.send(Buffer.from(`${message} back`), from));
      await using link = await open(transport);
      const nonce = (await ask(link, Method.Allocate, [RequestedTransport.of(17)])).get(Nonce) ?? "";
      const signed = (method: number, ...attributes: AttributeValue[]) => ask(link, method, attributes, { nonce, key });
      const peerAddress = XorPeerAddress.of({ address: peer.address, port: peer.port });
      expect((await signed(Method.Allocate, RequestedTransport.of(17))).class).toBe("success");

      expect((await signed(Method.CreatePermission, peerAddress)).class).toBe("success");
      link.send(encode(Method.Send, "indication", [peerAddress, Data.of(Buffer.from("there"))]));
      const indication = decoded(await link.receive());
      expect(indication).toMatchObject({ method: Method.Data, class: "indication" });
      expect(indication.get(XorPeerAddress)).toEqual({ address: peer.address, port: peer.port });
      expect(String(indication.get(Data))).toBe("there back");

      expect((await signed(Method.ChannelBind, ChannelNumber.of(0x4abc), peerAddress)).class).toBe("success");
      link.send(encodeChannelData(0x4abc, Buffer.from("there"), transport === "tcp"));
      expect(decodeChannelData(await link.receive())).toEqual({ channel: 0x4abc, data: Buffer.from("there back") });

      const end = await signed(Method.Refresh, Lifetime.of(0));
      expect(end).toMatchObject({ method: Method.Refresh, class: "success" });
      expect(verifyIntegrity(end, "sha1", key)).toBe(true);
    });
  });

  describe("its clients, asking a server of our codec", () => {
    const run = async (program: string, ...options: string[]) => {
      await using server = await behaviourServer();
      const { stdout } = await promisify(execFile)(program, [...options, "-p", String(server.port), server.address], { timeout: 4000 });
      return { server, stdout };
    };

    test("turnutils_stunclient reads addresses, and all four sockets' answers", async () => {
      const { server, stdout } = await run("turnutils_stunclient");
      expect(stdout).toContain(`Response origin: : ${server.address}:${server.port}`);
      expect(stdout.match(/UDP reflexive addr: 127\.0\.0\.1:\d+/g)).toHaveLength(3);
      expect(stdout.match(/Other addr: : 127\.0\.0\.2:\d+/g)).toHaveLength(3);
      expect(stdout).not.toMatch(/wrong|error|cannot/i);
    });

    test("turnutils_natdiscovery, with padding, finds the behaviour of loopback", async () => {
      const { stdout } = await run("turnutils_natdiscovery", "-m", "-f", "-H", "-P");
      expect(stdout).toContain("NAT with Endpoint Independent Mapping!");
      expect(stdout).toContain("NAT with Endpoint Independent Filtering!");
      expect(stdout).toContain("Received a request (maybe a successful hairpinning)");
      expect(stdout).not.toContain("Not received mapped address");
    });

    test("turnutils_natdiscovery's RESPONSE-PORT is read", async () => {
      const { stdout } = await run("turnutils_natdiscovery", "-t", "-T", "1");
      expect(stdout.match(/UDP reflexive addr: 127\.0\.0\.1:\d+/g)).toHaveLength(2);
    });
  });
});

function encode(
  method: number,
  messageClass: "request" | "indication",
  attributes: readonly AttributeValue[],
  credentials?: { nonce: string; key: Buffer },
): Buffer {
  const signature = credentials && [Username.of(COTURN.username), Realm.of(COTURN.realm), Nonce.of(credentials.nonce)];
  return encodeMessage({
    method,
    class: messageClass,
    transactionId: randomBytes(12),
    attributes: [...attributes, ...(signature ?? [])],
    integrity: credentials ? [{ algorithm: "sha1", key: credentials.key }] : [],
    fingerprint: true,
  });
}

/** One request and its answer. */
async function ask(
  link: TurnLink,
  method: number,
  attributes: readonly AttributeValue[],
  credentials?: { nonce: string; key: Buffer },
): Promise<StunMessage> {
  const request = encode(method, "request", attributes, credentials);
  link.send(request);
  const answer = decoded(await link.receive());
  expect(answer.transactionId).toEqual(request.subarray(8, 20));
  return answer;
}

function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeMessage(bytes);
  if (!(message instanceof StunMessage)) throw new Error(message);
  return message;
}
