import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import {
  type AttributeValue,
  ChangeRequest,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeMessage,
  Method,
  OtherAddress,
  ResponseOrigin,
  ResponsePort,
  type StunMessage,
  XorMappedAddress,
} from "@awl/wire";
import { afterEach, describe, expect, test } from "vitest";
import type { RendezvousOptions } from "../options.js";
import { hostAddresses } from "./host-addresses.js";
import { createRendezvous, type Rendezvous } from "./rendezvous.js";

const A = "127.0.0.1";
const B = "127.0.0.2";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function start(options: RendezvousOptions): Promise<Rendezvous> {
  const rendezvous = await createRendezvous({ port: 0, altPort: 0, ...options });
  opened.push(rendezvous);
  return rendezvous;
}

async function client(address = A): Promise<Socket> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  opened.push({ close: () => socket.close() });
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

interface Received {
  readonly message: StunMessage;
  readonly from: Endpoint;
}

/** The next STUN message that a socket receives, and where it came from. */
async function receive(socket: Socket): Promise<Received> {
  const [bytes, { address, port }] = await once(socket, "message");
  const message = decodeMessage(bytes);
  if (typeof message === "string") throw new Error(message);
  return { message, from: { address, port } };
}

function send(socket: Socket, to: Endpoint, attributes: readonly AttributeValue[] = []): void {
  const transactionId = Buffer.from("0102030405060708090a0b0c", "hex");
  socket.send(encodeMessage({ method: Method.Binding, class: "request", transactionId, attributes }), to.port, to.address);
}

async function ask(socket: Socket, to: Endpoint, attributes?: readonly AttributeValue[]): Promise<Received> {
  const answer = receive(socket);
  send(socket, to, attributes);
  return answer;
}

describe("two addresses on real sockets", () => {
  test("answers to CHANGE-REQUEST come from the sockets that RFC 5780 says", async () => {
    const { addresses } = await start({ hosts: [A, B] });
    const [{ port, altPort } = { port: 0, altPort: 0 }] = addresses;
    expect(addresses).toEqual([
      { address: A, publicAddress: A, port, altPort, alternate: B },
      { address: B, publicAddress: B, port, altPort, alternate: A },
    ]);

    const socket = await client();
    for (const asked of addresses.flatMap(({ address }) => [port, altPort].map((number) => ({ address, port: number })))) {
      const other = { address: asked.address === A ? B : A, port: asked.port === port ? altPort : port };
      for (const ip of [false, true]) {
        for (const changePort of [false, true]) {
          const { message, from } = await ask(socket, asked, [ChangeRequest.of({ ip, port: changePort })]);
          const expected = { address: ip ? other.address : asked.address, port: changePort ? other.port : asked.port };
          expect(from).toEqual(expected);
          expect(message.get(ResponseOrigin)).toEqual(expected);
          expect(message.get(OtherAddress)).toEqual(other);
          expect(message.get(XorMappedAddress)).toEqual({ address: A, port: socket.address().port });
        }
      }
    }
  });

  test("RESPONSE-PORT reaches another socket of the client", async () => {
    const { addresses } = await start({ hosts: [A, B] });
    const [asking, waiting] = [await client(), await client()];
    const answer = receive(waiting);
    send(asking, { address: A, port: addresses[0]?.port ?? 0 }, [ResponsePort.of(waiting.address().port)]);
    expect((await answer).message.get(XorMappedAddress)?.port).toBe(asking.address().port);
  });

  test("--external-ip is what is announced", async () => {
    const externalIps = [
      { publicAddress: "1.1.1.1", localAddress: A },
      { publicAddress: "1.0.0.1", localAddress: B },
    ];
    const { addresses } = await start({ hosts: [A, B], externalIps });
    expect(addresses[0]).toMatchObject({ address: A, publicAddress: "1.1.1.1", alternate: "1.0.0.1" });
    const { message } = await ask(await client(), { address: A, port: addresses[0]?.port ?? 0 });
    expect(message.get(OtherAddress)?.address).toBe("1.0.0.1");
  });
});

test("one address answers XOR-MAPPED-ADDRESS alone, and refuses CHANGE-REQUEST", async () => {
  const { addresses, counters } = await start({ hosts: [A] });
  const to = { address: A, port: addresses[0]?.port ?? 0 };
  const socket = await client();
  expect((await ask(socket, to)).message.bytes).toHaveLength(32);
  expect((await ask(socket, to, [ChangeRequest.of({ ip: true, port: true })])).message.get(ErrorCode)?.code).toBe(420);
  expect(counters()).toMatchObject({ stun: { received: 2, answered: 1, refused: { 420: 1 } }, sendErrors: 0 });
});

test.skipIf(!hostAddresses().includes("::1"))("IPv6 has its own socket", async () => {
  const { addresses } = await start({ hosts: ["::1"] });
  const socket = await client("::1");
  const { message, from } = await ask(socket, { address: "::1", port: addresses[0]?.port ?? 0 });
  expect(from.address).toBe("::1");
  expect(message.get(XorMappedAddress)).toEqual({ address: "::1", port: socket.address().port });
});

test("the addresses of this host are served if none is named", async () => {
  const { addresses } = await start({});
  const { port } = addresses[0] ?? { port: 0 };
  expect(addresses.map(({ address }) => address)).toContain(A);
  expect((await ask(await client(), { address: A, port })).from).toEqual({ address: A, port });
});

test("a limit that is used up is told to the asker from the socket that was asked", async () => {
  const { addresses } = await start({ hosts: [A, B], reflectionLimits: { prefixBurst: 1, prefixRate: 0.001 } });
  const to = { address: A, port: addresses[0]?.port ?? 0 };
  const socket = await client();
  const change = [ChangeRequest.of({ ip: true, port: true })];
  expect((await ask(socket, to, change)).from.address).toBe(B);
  const refused = await ask(socket, to, change);
  expect(refused.from).toEqual(to);
  expect(refused.message.get(ErrorCode)?.code).toBe(500);
});

describe("what cannot be bound", () => {
  test("a UDP port in use, and nothing is left open", async () => {
    // One that was free on both addresses, for UDP and TCP, a moment ago.
    const first = await start({ hosts: [A, B] });
    await first.close();
    const { port = 0 } = first.addresses[0] ?? {};
    const taken = createSocket("udp4").bind(port, B);
    await once(taken, "listening");
    const attempt = createRendezvous({ hosts: [A, B], port, altPort: 0 });
    await expect(attempt).rejects.toMatchObject({ code: "port-in-use", message: `udp ${B}:${port} is in use` });

    taken.close();
    await start({ hosts: [A, B], port });
  });

  test("a TCP port in use", async () => {
    const taken = createServer().listen(0, A);
    opened.push(taken);
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const attempt = createRendezvous({ hosts: [A], port, altPort: 0 });
    await expect(attempt).rejects.toMatchObject({ code: "port-in-use", message: `tcp ${A}:${port} is in use` });
  });

  test("an address of another host", async () => {
    const attempt = createRendezvous({ hosts: ["203.0.113.77"], port: 0, altPort: 0 });
    await expect(attempt).rejects.toMatchObject({ code: "not-this-host", message: "203.0.113.77 is not an address of this host" });
  });
});

test("it may be closed twice, and is gone then", async () => {
  const rendezvous = await start({ hosts: [A] });
  await Promise.all([rendezvous.close(), rendezvous.close()]);
  const { port = 0, altPort = 0 } = rendezvous.addresses[0] ?? {};
  await start({ hosts: [A], port, altPort });
});
