/** The peer's TURN client against coturn's server, over UDP, TCP and TLS: allocation, permission, channel, data both ways, renewal, end. */
import { execFile, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createSecureServer } from "node:tls";
import { promisify } from "node:util";
import { decodeMessage, type Endpoint, Method } from "@awl/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RelayServer } from "../../packages/peer/src/turn/relay-search-io.js";
import type { TurnCredentials } from "../../packages/peer/src/turn/turn-io.js";
import { COTURN, startCoturn } from "./coturn-server.js";
import { loopbackSocket } from "./loopback.js";
import { RelayClient } from "./relay-client.js";

const installed = spawnSync("turnserver", ["--version"]).error === undefined;
// In CI a missing server is no excuse: the set-up fails.
const skip = !installed && process.env.CI !== "true";

const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;

const SECRET = "a secret of two servers";
const ADA: TurnCredentials = { username: COTURN.username, password: COTURN.password };

/** A peer that sends back what it gets. */
async function echo(): Promise<AsyncDisposable & { endpoint: Endpoint }> {
  const socket = await loopbackSocket();
  socket.onMessage((message, from) => socket.send(Buffer.from(`${message} back`), from));
  const endpoint = { address: socket.address, port: socket.port };
  return { endpoint, [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose]() };
}

/** A certificate of its own authority. */
async function certificateFor(name: string): Promise<{ key: string; cert: string }> {
  const home = await mkdtemp(join(tmpdir(), "awl-certificate-"));
  try {
    const files = ["-keyout", join(home, "key"), "-out", join(home, "cert")];
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...subject, ...files]);
    return { key: await readFile(join(home, "key"), "utf8"), cert: await readFile(join(home, "cert"), "utf8") };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Requests of a method that a client has sent. */
function asked(client: RelayClient, method: number): number {
  return client.sent.filter((bytes) => {
    const message = decodeMessage(bytes);
    return typeof message !== "string" && message.class === "request" && message.method === method;
  }).length;
}

describe.skipIf(skip)("coturn", () => {
  let plain: Awaited<ReturnType<typeof startCoturn>> | undefined;
  let rest: Awaited<ReturnType<typeof startCoturn>> | undefined;
  beforeAll(async () => {
    [plain, rest] = await Promise.all([startCoturn(), startCoturn({ secret: SECRET })]);
  });
  afterAll(async () => {
    await plain?.[Symbol.asyncDispose]();
    await rest?.[Symbol.asyncDispose]();
  });

  const way = (transport: RelayServer["transport"], port: number | undefined, credentials = ADA): RelayServer => ({
    transport,
    endpoint: { address: COTURN.address, port: port ?? 0 },
    host: COTURN.address,
    credentials,
  });

  test.each(["udp", "tcp"] as const)("over %s: data there and back, by indication and by channel, renewed and ended", async (transport) => {
    await using peer = await echo();
    await using client = new RelayClient([way(transport, plain?.port)]);
    await client.until(() => client.relayed !== undefined);
    expect(client.events).toMatchObject([
      { event: "allocated", relayed: { address: COTURN.address }, mapped: { address: COTURN.address } },
    ]);
    expect(asked(client, Method.Allocate)).toBe(2);

    const isByChannel = () => (client.sent.at(-1)?.readUInt8(0) ?? 0) >= 0x40;
    // The first one goes by indication; its answer has the client bind a channel, which takes a moment.
    for (let i = 0; !isByChannel(); i++) {
      client.send(`${i}`, peer.endpoint);
      await client.until(() => client.received.at(-1)?.text === `${i} back`);
      expect(client.received.at(-1)?.from).toEqual(peer.endpoint);
    }
    expect([asked(client, Method.CreatePermission), asked(client, Method.ChannelBind)]).toEqual([1, 1]);

    client.skip(250_000);
    await client.until(() => asked(client, Method.ChannelBind) === 2);
    client.skip(240_000);
    await client.until(() => asked(client, Method.Refresh) === 1);
    client.send("after renewal", peer.endpoint);
    await client.until(() => client.received.at(-1)?.text === "after renewal back");

    client.feed({ type: "close" });
    await client.until(() => client.events.at(-1)?.event === "ended");
    expect(client.events.at(-1)).toMatchObject({ code: "closed" });
  });

  test("time-limited credentials: taken as long as they are good", async () => {
    await using peer = await echo();
    const issue = (seconds: number) => {
      const username = `${Math.trunc(Date.now() / 1_000) + seconds}:ada`;
      return { username, password: createHmac("sha1", SECRET).update(username).digest("base64") };
    };
    await using client = new RelayClient([way("udp", rest?.port, issue(3_600))]);
    await client.until(() => client.relayed !== undefined);
    client.send("hello", peer.endpoint);
    await client.until(() => client.received.at(-1)?.text === "hello back");

    await using late = new RelayClient([way("udp", rest?.port, issue(-3_600)), way("tcp", rest?.port, issue(-3_600))]);
    await late.until(() => late.events.length > 0);
    expect(late.events).toMatchObject([{ event: "failed", failures: [{ code: "unauthorized", transport: "udp" }] }]);
  });

  test("a nonce that has gone stale costs no datagram", async () => {
    await using peer = await echo();
    await using coturn = await startCoturn({ staleNonce: 1 });
    await using client = new RelayClient([way("udp", coturn.port)]);
    await client.until(() => client.relayed !== undefined);
    // Coturn's nonces are good for a second here, and it counts whole ones.
    await sleep(2_100);
    client.send("late", peer.endpoint);
    await client.until(() => client.received.at(-1)?.text === "late back");
    expect(asked(client, Method.CreatePermission)).toBe(2);
  });

  test("where UDP is swallowed, TCP; where a server is not there, the next", async () => {
    await using blackHole = await loopbackSocket();
    const refusing = createServer().listen(0, COTURN.address);
    await once(refusing, "listening");
    const { port: closedPort } = refusing.address() as AddressInfo;
    refusing.close();
    await using client = new RelayClient([way("udp", blackHole.port), way("tcp", closedPort), way("tcp", plain?.port)]);
    await client.until(() => client.relayed !== undefined);
    expect(client.events).toMatchObject([{ event: "allocated", server: { transport: "tcp", endpoint: { port: plain?.port } } }]);
  });

  test.skipIf(!hasOpenssl)("TLS: a certificate of the right name from somebody trusted, and no other", async () => {
    const { key, cert } = await certificateFor("relay.example.org");
    const front = createSecureServer({ key, cert }, (socket) => {
      socket
        .pipe(connect(plain?.port ?? 0, COTURN.address))
        .on("error", () => socket.destroy())
        .pipe(socket);
      socket.on("error", () => {});
    });
    front.listen(0, COTURN.address);
    await once(front, "listening");
    const { port } = front.address() as AddressInfo;
    await using peer = await echo();
    await using client = new RelayClient([{ ...way("tls", port), host: "relay.example.org" }], cert);
    await client.until(() => client.relayed !== undefined);
    client.send("hello", peer.endpoint);
    await client.until(() => client.received.at(-1)?.text === "hello back");

    await using misled = new RelayClient([{ ...way("tls", port), host: "relay.example.com" }, way("tls", port)], cert);
    await misled.until(() => misled.events.length > 0);
    expect(misled.events).toMatchObject([{ event: "failed", failures: [{ code: "lost" }, { code: "lost" }] }]);
    await using careful = new RelayClient([{ ...way("tls", port), host: "relay.example.org" }]);
    await careful.until(() => careful.events.length > 0);
    expect(careful.events).toMatchObject([{ event: "failed", text: expect.stringMatching(/self-signed certificate/) }]);
    front.close();
  });

  test("two clients reach each other through their relayed addresses", async () => {
    await using here = new RelayClient([way("udp", plain?.port)]);
    await using there = new RelayClient([way("tcp", plain?.port)]);
    for (const client of [here, there]) await client.until(() => client.relayed !== undefined);
    const [a, b] = [here.relayed, there.relayed] as [Endpoint, Endpoint];
    there.feed({ type: "permit", peers: [a] });
    await there.until(() => asked(there, Method.CreatePermission) === 1);
    for (let i = 0; there.received.length === 0 && i < 50; i++) {
      here.send("ping", b);
      await sleep(20);
    }
    expect(there.received[0]).toEqual({ from: a, text: "ping" });
    there.send("pong", a);
    await here.until(() => here.received.length > 0);
    expect(here.received[0]).toEqual({ from: b, text: "pong" });
  });
});
