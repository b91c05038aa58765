import { decodeMessage, type Endpoint, encodeMessage, Method, XorMappedAddress } from "@awl/wire";
import { expect, test } from "vitest";
import { Gathering } from "./gathering.js";

const SERVER: Endpoint = { address: "203.0.113.1", port: 3478 };
const LAN: Endpoint = { address: "192.168.1.10", port: 40_000 };

const SERVER6: Endpoint = { address: "2001:db8::1", port: 3478 };

function fresh(families: readonly (4 | 6)[] = [4]) {
  let byte = 0;
  const sockets = new Map(families.map((family, id) => [family, id]));
  return new Gathering(sockets, [SERVER, SERVER6], (length) => Buffer.alloc(length, ++byte));
}

function answer(request: Uint8Array, mapped: Endpoint): Buffer {
  const message = decodeMessage(request);
  if (typeof message === "string") throw new Error(message);
  const { transactionId } = message;
  return encodeMessage({ method: Method.Binding, class: "success", transactionId, attributes: [XorMappedAddress.of(mapped)] });
}

test("local and public endpoints, as soon as the server answers", () => {
  const gathering = fresh();
  gathering.opened(0, 0, [LAN]);
  const [question] = gathering.poll(0);
  expect(question).toMatchObject({ socket: 0, to: SERVER });
  expect(gathering.ended).toBe(false);
  const mapped = { address: "198.18.1.1", port: 5_000 };
  expect(gathering.receive(0, 0, SERVER, answer(question?.bytes as Buffer, mapped))).toBe(true);
  expect(gathering.ended).toBe(true);
  expect(gathering.candidates).toEqual([
    { ...LAN, type: "host" },
    { ...mapped, type: "server-reflexive" },
  ]);
});

test("a server that does not answer is asked four times, and ends it at its deadline without being polled", () => {
  const gathering = fresh();
  gathering.opened(0, 0, [LAN]);
  const asked: number[] = [];
  let now = 0;
  while (!gathering.ended) {
    asked.push(...gathering.poll(now).map(() => now));
    expect(gathering.deadline).toBeGreaterThan(now);
    now = gathering.deadline;
    gathering.advance(now);
  }
  expect(asked).toEqual([0, 60, 180, 420]);
  expect(now).toBe(720);
  expect(gathering.deadline).toBe(Number.POSITIVE_INFINITY);
});

test("a server that answers again and again is heard once; strangers are not", () => {
  const gathering = fresh();
  gathering.opened(0, 0, [LAN]);
  const request = gathering.poll(0)[0]?.bytes as Buffer;
  expect(gathering.receive(0, 0, { ...SERVER, port: 1 }, answer(request, LAN))).toBe(false);
  expect(gathering.receive(0, 1, SERVER, answer(request, LAN))).toBe(false);
  for (let port = 1; port < 1_000; port++) gathering.receive(0, 0, SERVER, answer(request, { address: "198.18.1.1", port }));
  expect(gathering.candidates).toHaveLength(2);
});

test("no loopback, no port 0, and no NAT is one endpoint", () => {
  for (const mapped of [{ address: "127.0.0.1", port: 1 }, { address: "198.18.1.1", port: 0 }, LAN]) {
    const gathering = fresh();
    gathering.opened(0, 0, [LAN]);
    gathering.receive(0, 0, SERVER, answer(gathering.poll(0)[0]?.bytes as Buffer, mapped));
    expect(gathering.candidates).toEqual([{ ...LAN, type: "host" }]);
  }
});

test("a family without a network, or without a server, holds up nothing", () => {
  const gathering = fresh([4, 6]);
  gathering.opened(0, 0, []);
  expect(gathering.ended).toBe(false);
  gathering.opened(0, 1, []);
  expect(gathering.ended).toBe(true);
  expect(gathering.poll(0)).toEqual([]);
  expect(gathering.candidates).toEqual([]);
});

test.each([
  [10, 60],
  [300, 600],
])("a server that is silent where another has answered after %d ms is given up at %d ms", (answeredAt, givenUpAt) => {
  const gathering = fresh([4, 6]);
  gathering.opened(0, 0, [LAN]);
  gathering.opened(0, 1, [{ address: "2001:db8:1::10", port: 40_001 }]);
  const questions = gathering.poll(0);
  expect(questions.map(({ to }) => to)).toEqual([SERVER, SERVER6]);
  gathering.receive(answeredAt, 0, SERVER, answer(questions[0]?.bytes as Buffer, { address: "198.18.1.1", port: 5_000 }));
  gathering.advance(givenUpAt - 1);
  expect(gathering.ended).toBe(false);
  expect(gathering.deadline).toBeLessThanOrEqual(givenUpAt);
  gathering.advance(givenUpAt);
  expect(gathering.ended).toBe(true);
});
