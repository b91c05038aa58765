/** Hostile messages over real sockets: the machine's own test sends more of them. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Method } from "@awl/wire";
import { expect, test } from "vitest";
import { hostileMessage, noise, xorshift } from "../turn/hostile.test-support.js";
import { heapUsed } from "./heap.test-support.js";
import { createRendezvous, type RendezvousCounters } from "./rendezvous.js";
import { TurnClient, type TurnTransport } from "./turn-client.test-support.js";

/** Messages; AWL_HOSTILE=1000000 sends a tenth of that. */
const COUNT = Number(process.env.AWL_HOSTILE ?? 40_000) / 10;
const HOST = "127.0.0.1";
const SECRET = "north remembers";

test(`${COUNT} hostile messages over UDP and as many over TCP: the process lives, and every one is counted`, {
  timeout: 60_000 + COUNT * 5,
}, async () => {
  const rendezvous = await createRendezvous({ hosts: [HOST], port: 0, altPort: 0, turnSecrets: [SECRET], allowRelayTo: ["127.0.0.0/8"] });
  const at = { address: HOST, port: rendezvous.addresses[0]?.port ?? 0 };
  const sink = createSocket("udp4").bind(0, HOST);
  await once(sink, "listening");
  const random = xorshift(0x7c9);
  const peers = [{ address: HOST, port: sink.address().port }, { address: "10.0.0.1", port: 80 }, at, { address: HOST, port: 0 }];
  const turn = () => rendezvous.counters().turn as NonNullable<RendezvousCounters["turn"]>;

  const attack = async (transport: TurnTransport, count: number): Promise<void> => {
    let client = await attacker(transport);
    const before = total(rendezvous.counters());
    for (let sent = 0; sent < count; ) {
      // In small batches, each waited for: a full receive buffer would drop what is then missed in the count.
      for (const upTo = Math.min(sent + 25, count); sent < upTo; sent++) {
        const message = hostileMessage(random, client.credential, peers);
        client.write(transport === "udp" || random(200) === 0 ? message : framed(message));
      }
      if (transport === "udp") await until(() => total(rendezvous.counters()) === before + sent);
      else if (!(await client.inStep())) {
        client.close();
        client = await attacker(transport);
      }
    }
    client.close();
    await until(() => turn().connections === 0);
  };
  const attacker = async (transport: TurnTransport) => {
    const client = await TurnClient.open(transport, at, SECRET);
    await client.ask(Method.Allocate);
    client.discard();
    return client;
  };

  for (const transport of ["udp", "tcp"] as const) {
    await attack(transport, COUNT / 2);
    const before = heapUsed();
    await attack(transport, COUNT / 2);
    expect(heapUsed() - before).toBeLessThan(8 * 2 ** 20);
  }
  // Much of it is read, though after what breaks the stream no more is.
  expect(turn().received).toBeGreaterThan(1.4 * COUNT);
  // Beside what is one message in the machine, connections that speak nothing at all.
  for (let i = 0; i < 50; i++) {
    const client = await TurnClient.open("tcp", at, SECRET);
    client.write(Buffer.concat([Buffer.alloc(1), noise(random, random(300))]));
    client.close();
  }
  await until(() => turn().connections === 0);

  const { succeeded, refused, forwarded, handedOver, dropped, received, waiting, allocations, sockets } = turn();
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, count) => all + count, 0);
  expect(succeeded + sum(refused) + forwarded + handedOver + sum(dropped) + waiting).toBe(received);
  // It is a test of nothing if the attack never comes through.
  for (const count of [succeeded / 10, forwarded / 10, refused[403]]) expect(count).toBeGreaterThan(1);
  expect(sockets).toBeLessThanOrEqual(allocations);

  const honest = await TurnClient.open("udp", at, SECRET);
  await honest.allocate();
  honest.close();
  sink.close();
  await rendezvous.close();
  expect(rendezvous.counters().turn?.sockets).toBe(0);
});

/** With the length that it has, so that the stream goes on behind it. */
function framed(message: Buffer): Buffer {
  const isStun = ((message[0] ?? 0) & 0x40) === 0;
  const header = isStun ? 20 : 4;
  const bytes = Buffer.concat([message, Buffer.alloc(Math.max(header - message.length, (4 - (message.length % 4)) % 4))]);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  bytes.writeUInt16BE(bytes.length - header, 2);
  return bytes;
}

/** Datagrams of clients that arrived. */
function total({ stun, turn }: RendezvousCounters): number {
  return stun.received + (turn?.received ?? 0);
}

async function until(done: () => boolean): Promise<void> {
  for (const start = performance.now(); !done(); ) {
    if (performance.now() - start > 5000) throw new Error("messages went missing");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
