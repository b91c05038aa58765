import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import {
  ChangeRequest,
  decodeMessage,
  encodeMessage,
  Fingerprint,
  Padding,
  ResponsePort,
  StunMessage,
  UnknownAttributes,
  Username,
  XorMappedAddress,
} from "@awl/wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BindingServer } from "../stun/binding-server.js";
import { stunSockets } from "../stun/sockets.js";
import { heapUsed } from "./heap.test-support.js";
import { createRendezvous, type Rendezvous } from "./rendezvous.js";

/** Datagrams; AWL_HOSTILE=1000000 is the full run. One in ten goes through a real socket too. */
const COUNT = Number(process.env.AWL_HOSTILE ?? 30_000);
const TIMEOUT_MS = 60_000 + COUNT / 2;

const ADDRESSES = [
  { address: "127.0.0.1", publicAddress: "127.0.0.1", alternate: 1 },
  { address: "127.0.0.2", publicAddress: "127.0.0.2", alternate: 0 },
];

let rendezvous: Rendezvous;
let client: Socket;
beforeAll(async () => {
  rendezvous = await createRendezvous({ hosts: ["127.0.0.1", "127.0.0.2"], port: 0, altPort: 0, relay: false });
  client = createSocket("udp4").bind(0, "127.0.0.1");
  await once(client, "listening");
});
afterAll(async () => {
  client.close();
  await rendezvous.close();
});

test(`${COUNT} hostile datagrams: none throws, none is amplified, none is lost count of, and the heap is flat`, {
  timeout: TIMEOUT_MS,
}, () => {
  const server = new BindingServer(stunSockets(ADDRESSES, 3478, 3479));
  const random = xorshift(0x5eed);
  let answers = 0;
  const attack = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const bytes = hostileDatagram(random);
      const source = { address: hostileAddress(random), port: random(0x10000) };
      const answer = server.handle(i / 50, bytes, random(4), source);
      if (!answer) continue;
      answers++;
      if (answer.to.address !== source.address) throw new Error(`reflected to ${answer.to.address}`);
      if (answer.bytes.length > largestAnswer(answer.bytes, source.address))
        throw new Error(`${answer.bytes.length} bytes for ${bytes.toString("hex")}`);
    }
  };

  attack(0, COUNT / 2);
  const before = heapUsed();
  attack(COUNT / 2, COUNT);
  expect(heapUsed() - before).toBeLessThan(2 * 2 ** 20);

  const { received, answered, refused, dropped } = server.counters;
  expect(received).toBe(COUNT);
  expect(answered + refused[403] + refused[420] + refused[500]).toBe(answers);
  expect(Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(COUNT - answers);
  // It is a test of nothing if the attack never comes through.
  expect(answered).toBeGreaterThan(COUNT / 100);
  for (const count of [refused[403], refused[420], dropped["bad-attribute"], dropped["bad-fingerprint"]]) expect(count).toBeGreaterThan(0);
});

test(`${COUNT / 10} of them through a socket: the process lives, and every one is counted`, { timeout: TIMEOUT_MS }, async () => {
  const { port, altPort } = rendezvous.addresses[0] ?? { port: 0, altPort: 0 };
  const random = xorshift(0x50c7);
  let largest = 0;
  let answers = 0;
  client.on("message", (bytes) => {
    answers++;
    largest = Math.max(largest, bytes.length - largestAnswer(bytes, "127.0.0.1"));
  });
  const before = heapUsed();
  let sent = 0;
  while (sent < COUNT / 10) {
    // In small batches, each waited for: a full receive buffer would drop what is then missed in the count.
    const upTo = Math.min(sent + 50, COUNT / 10);
    for (; sent < upTo; sent++) {
      // Answers to ports of strangers on this machine are no part of the test.
      const bytes = hostileDatagram(random, client.address().port);
      client.send(bytes, random(2) ? port : altPort, random(2) ? "127.0.0.1" : "127.0.0.2");
    }
    await until(() => rendezvous.counters().stun.received === sent);
  }
  expect(heapUsed() - before).toBeLessThan(8 * 2 ** 20);

  const { stun, sendErrors } = rendezvous.counters();
  const answered = stun.answered + stun.refused[403] + stun.refused[420] + stun.refused[500];
  expect(sendErrors).toBe(0);
  expect(answers).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(0);
  expect(answered + Object.values(stun.dropped).reduce((sum, count) => sum + count, 0)).toBe(sent);

  // Not just the next datagram: answers to the attack may still be under way.
  const transactionId = Buffer.from("still alive!");
  const answer = new Promise<Buffer>((resolve) => {
    client.on("message", (bytes) => transactionId.equals(bytes.subarray(8, 20)) && resolve(bytes));
  });
  client.send(encodeMessage({ method: 1, class: "request", transactionId }), port, "127.0.0.1");
  const message = decodeMessage(await answer);
  expect(message instanceof StunMessage && message.get(XorMappedAddress)?.port).toBe(client.address().port);
});

type Random = (below: number) => number;

/** Noise, well-formed requests, and those with a few bytes changed, cut off or added. */
function hostileDatagram(random: Random, responsePort = random(0x10000)): Buffer {
  const kind = random(10);
  if (kind < 2) return noise(random, random(1500));
  const bytes = seed(random, responsePort);
  if (kind < 5) return bytes;
  if (kind === 5) return bytes.subarray(0, random(bytes.length));
  if (kind === 6) return Buffer.concat([bytes, noise(random, random(64))]);
  for (let edits = 1 + random(4); edits > 0; edits--) bytes[random(bytes.length)] = random(256);
  return bytes;
}

/** A request with some of the attributes that a server obeys, in any order and number. */
function seed(random: Random, responsePort: number): Buffer {
  const attributes = Array.from({ length: random(5) }, () => {
    switch (random(4)) {
      case 0:
        return ChangeRequest.of({ ip: random(2) === 1, port: random(2) === 1 });
      case 1:
        return ResponsePort.of(responsePort);
      case 2:
        return random(4) === 0 ? Padding.of(noise(random, random(1200))) : Username.of("x".repeat(random(30)));
      default:
        return XorMappedAddress.of({ address: "192.0.2.1", port: random(0x10000) });
    }
  });
  const transactionId = noise(random, random(4) === 0 ? 16 : 12);
  return encodeMessage({
    method: 1,
    class: random(8) === 0 ? "success" : "request",
    transactionId,
    attributes,
    fingerprint: random(2) === 1,
  });
}

function hostileAddress(random: Random): string {
  const last = random(256);
  switch (random(8)) {
    case 0:
      return ["0.0.0.0", "255.255.255.255", "224.0.0.251", "::", "ff02::1", "127.0.0.1", "127.0.0.2", "::1"][last & 7] ?? "::";
    case 1:
      return `2001:db8:${random(0x10000).toString(16)}:${random(0x10000).toString(16)}::${(last + 1).toString(16)}`;
    default:
      return `${random(256)}.${random(256)}.${random(256)}.${last}`;
  }
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

/** The protocol's own size of this answer: two addresses of the asker's family and two of ours; or an error with what it names. */
function largestAnswer(bytes: Buffer, asker: string): number {
  const message = decodeMessage(bytes);
  if (!(message instanceof StunMessage)) throw new Error(`an answer that is no STUN message: ${message}`);
  const fingerprint = message.has(Fingerprint) ? 8 : 0;
  if (message.class === "success") return 20 + 2 * (asker.includes(":") ? 24 : 12) + 2 * 12 + fingerprint;
  const unknown = message.get(UnknownAttributes)?.length ?? 0;
  return 20 + 28 + (unknown > 0 ? 4 + 4 * Math.ceil(unknown / 2) : 0) + fingerprint;
}

async function until(done: () => boolean): Promise<void> {
  for (const start = performance.now(); !done(); ) {
    if (performance.now() - start > 5000) throw new Error("datagrams went missing");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Marsaglia's xorshift32: the same attack in every run. */
function xorshift(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
