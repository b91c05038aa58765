import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame } from "../../handshake/frame.js";
import { derivePsk } from "../../handshake/psk.js";
import {
  bytesOf,
  Cast,
  closeAll,
  type Direction,
  type Link,
  type Meddling,
  makeLink,
  type Outcome,
  outcomeOf,
  transcriptOf,
} from "./hostile-link.test-support.js";
import { startPskSession } from "./tls.js";

/** A rendezvous that does its worst, and people with a ticket who do theirs. */

const cast = new Cast();
const DIRECTIONS: readonly Direction[] = ["to-listener", "to-connector"];
const FAILURES = ["ticket-refused", "identity-mismatch", "handshake-failed", "handshake-timeout"];

/** Whatever was done: nobody has a channel with somebody else, or with other keys, and nobody hangs. */
async function survives(meddle: Meddling, timeoutMs = 120): Promise<[Outcome, Outcome]> {
  const outcomes = await cast.meet(makeLink(meddle), { timeoutMs });
  const [l, c] = outcomes;
  if (typeof l === "string") expect(FAILURES).toContain(l);
  else expect(cast.isRight(l, "listener")).toBe(true);
  if (typeof c === "string") expect(FAILURES).toContain(c);
  else expect(cast.isRight(c, "connector")).toBe(true);
  if (typeof l !== "string" && typeof c !== "string") expect(l.keys.datagrams.send).toEqual(c.keys.datagrams.receive);
  // The connector has the last word of the listener, or nothing.
  if (typeof c !== "string") expect(typeof l).not.toBe("string");
  closeAll(...outcomes);
  return outcomes;
}

test("every byte of the whole handshake, altered", async () => {
  const transcript = await transcriptOf(cast);
  const tasks: (() => Promise<unknown>)[] = [];
  const established: string[] = [];
  for (const direction of DIRECTIONS) {
    for (const [index, bytes] of bytesOf(transcript, direction).entries()) {
      for (let at = 0; at < bytes.length; at++) {
        tasks.push(async () => {
          const outcomes = await survives(flip(direction, index, at, 1 + Math.trunc((at * 37) % 255)));
          if (outcomes.every((outcome) => typeof outcome !== "string")) established.push(`${direction} ${index} ${at}`);
        });
      }
    }
  }
  expect(tasks.length).toBeGreaterThan(800);
  await inBatches(tasks, 40);
  // RFC 8446 section 5.1: the version that a record names means nothing, and as long as nothing is encrypted nothing protects it.
  for (const harmless of established) expect(harmless).toMatch(/^to-(?:listener|connector) 0 [12]$/);
}, 60_000);

test("any byte, by anything", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...DIRECTIONS),
      fc.nat(3),
      fc.nat(300),
      fc.integer({ min: 1, max: 255 }),
      (direction, index, at, mask) => survives(flip(direction, index, at, mask)).then(() => undefined),
    ),
    { numRuns: 100 },
  );
}, 60_000);

describe.each(DIRECTIONS)("frames %s", (direction) => {
  const only = (index: number, meddle: (bytes: Uint8Array) => readonly Uint8Array[]): Meddling => {
    return (frame, i) => (frame.direction === direction && i === index ? meddle(frame.bytes) : [frame.bytes]);
  };

  test("dropped, repeated, cut, joined with noise", async () => {
    const tasks: (() => Promise<unknown>)[] = [];
    const count = bytesOf(await transcriptOf(cast), direction).length;
    for (let index = 0; index < count; index++) {
      tasks.push(() => survives(only(index, () => [])));
      tasks.push(() => survives(only(index, (bytes) => [bytes, bytes])));
      tasks.push(() => survives(only(index, (bytes) => [bytes.subarray(0, bytes.length / 2)])));
      tasks.push(() => survives(only(index, (bytes) => [bytes.subarray(bytes.length / 2)])));
      tasks.push(() => survives(only(index, (bytes) => [randomBytes(50), bytes])));
      tasks.push(() => survives(only(index, (bytes) => [bytes, randomBytes(50)])));
      tasks.push(() => survives(only(index, (bytes) => [Uint8Array.from(bytes).reverse()])));
    }
    await inBatches(tasks, 20);
  });

  test("reordered", async () => {
    for (let index = 0; index < 3; index++) {
      let held: Uint8Array | undefined;
      await survives((frame, i) => {
        if (frame.direction !== direction) return [frame.bytes];
        if (i === index) held = frame.bytes;
        if (i === index) return [];
        const late = held;
        held = undefined;
        return late ? [frame.bytes, late] : [frame.bytes];
      });
    }
  });

  test("dropped at random", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), (kept) =>
        survives((frame, i) => (frame.direction === direction && kept[i] === false ? [] : [frame.bytes]), 60).then(() => undefined),
      ),
      { numRuns: 20 },
    );
  });
});

describe("an earlier session, played again", () => {
  test("to the listener", async () => {
    const frames = bytesOf(await transcriptOf(cast), "to-listener");
    const link = makeLink();
    const outcome = outcomeOf(cast.listen(link, { timeoutMs: 200 }));
    for (const frame of frames) link.listener.push(frame);
    expect(await outcome).toBe("handshake-failed");

    // Each only after an answer, as if somebody were there.
    let next = 0;
    const paced: Link = makeLink(({ direction }) => {
      const frame = frames[next];
      next += 1;
      if (direction === "to-connector" && frame) setImmediate(() => paced.listener.push(frame));
      return [];
    });
    const second = outcomeOf(cast.listen(paced, { timeoutMs: 200 }));
    paced.listener.push(frames[next++] as Uint8Array);
    expect(await second).toBe("handshake-failed");
  });

  test("to the connector", async () => {
    const frames = bytesOf(await transcriptOf(cast), "to-connector");
    const link = makeLink(() => []);
    const outcome = outcomeOf(cast.connect(link, { timeoutMs: 200 }));
    for (const frame of frames) setImmediate(() => link.connector.push(frame));
    expect(await outcome).toBe("handshake-failed");
  });
});

describe("people swapped", () => {
  test("a connector is brought to another listener", async () => {
    const other = new Cast();
    const link = makeLink();
    expect(await Promise.all([outcomeOf(other.listen(link)), outcomeOf(cast.connect(link))])).toEqual(["ticket-refused", "ticket-refused"]);
  });

  test("two connectors of one listener are crossed in the middle", async () => {
    for (const direction of DIRECTIONS) {
      for (const from of [0, 1]) {
        const crossed =
          (other: () => Link): Meddling =>
          (frame, i) => {
            if (frame.direction !== direction || i < from) return [frame.bytes];
            const side = direction === "to-listener" ? "listener" : "connector";
            setImmediate(() => other()[side].push(frame.bytes));
            return [];
          };
        const a: Link = makeLink(crossed(() => b));
        const b: Link = makeLink(crossed(() => a));
        const outcomes = await Promise.all([cast.meet(a, { timeoutMs: 150 }), cast.meet(b, { timeoutMs: 150 })]);
        for (const [l, c] of outcomes) {
          // From the very first frame on, crossing is only another way to bring the two together.
          if (typeof l !== "string") expect(cast.isRight(l, "listener")).toBe(true);
          if (typeof c !== "string") expect(cast.isRight(c, "connector")).toBe(true);
          closeAll(l, c);
        }
        if (from === 1) for (const [, c] of outcomes) expect(FAILURES).toContain(c);
      }
    }
  });

  test("two connectors are brought to each other, and two listeners", async () => {
    const [a, b] = [makeLink(), makeLink()];
    const two = [outcomeOf(cast.connect(a)), outcomeOf(cast.connect({ connector: a.listener }))];
    for (const outcome of await Promise.all(two)) expect(FAILURES).toContain(outcome);
    const silent = [outcomeOf(cast.listen(b, { timeoutMs: 50 })), outcomeOf(cast.listen({ listener: b.connector }, { timeoutMs: 50 }))];
    for (const outcome of await Promise.all(silent)) expect(FAILURES).toContain(outcome);
  });

  test("a connector meets a mirror", async () => {
    const link: Link = makeLink(({ bytes }) => {
      setImmediate(() => link.connector.push(bytes));
      return [];
    });
    expect(FAILURES).toContain(await outcomeOf(cast.connect(link, { timeoutMs: 200 })));
  });
});

describe("who holds the ticket, but not the key", () => {
  test("cannot play the listener", async () => {
    const mallory = new Cast();
    const link = makeLink();
    const identity = { publicKey: cast.listener.publicKey, sign: mallory.listener.sign };
    const [, c] = await Promise.all([outcomeOf(cast.listen(link, { identity })), outcomeOf(cast.connect(link))]);
    expect(c).toBe("identity-mismatch");
  });

  test("cannot play a connector that is allowed", async () => {
    const mallory = new Cast();
    const link = makeLink();
    const identity = { publicKey: cast.connector.publicKey, sign: mallory.connector.sign };
    const [l, c] = await Promise.all([outcomeOf(cast.listen(link, { allow: () => true })), outcomeOf(cast.connect(link, { identity }))]);
    expect([l, c]).toEqual(["identity-mismatch", "handshake-failed"]);
  });

  test.each<[string, (send: (bytes: Uint8Array) => void) => void]>([
    ["a frame too long", (send) => send(encodeFrame("message", new Uint8Array(98)))],
    ["a frame that never ends", (send) => send(Buffer.of(0, 0, 0xff, 0xff))],
    ["an unknown frame", (send) => send(Buffer.of(9, 0, 0, 0))],
    ["a goodbye", (send) => send(encodeFrame("goodbye", new Uint8Array(0)))],
    ["an empty message", (send) => send(encodeFrame("message", new Uint8Array(0)))],
    ["noise", (send) => send(randomBytes(10_000))],
  ])("gets nowhere with %s", async (_what, speak) => {
    const link = makeLink();
    const { socket } = startPskSession("connector", link.connector.duplex, derivePsk(cast.secret, cast.listener.publicKey));
    socket.on("error", () => {}).once("secure", () => speak((bytes) => socket.write(bytes)));
    expect(await outcomeOf(cast.listen(link, { timeoutMs: 300 }))).toBe("handshake-failed");
  });

  test("and who says nothing is given up", async () => {
    const link = makeLink();
    startPskSession("connector", link.connector.duplex, derivePsk(cast.secret, cast.listener.publicKey)).socket.on("error", () => {});
    expect(await outcomeOf(cast.listen(link, { timeoutMs: 50 }))).toBe("handshake-timeout");
  });
});

function flip(direction: Direction, index: number, at: number, mask: number): Meddling {
  return (frame, i) => {
    if (frame.direction !== direction || i !== index || at >= frame.bytes.length) return [frame.bytes];
    const altered = Uint8Array.from(frame.bytes);
    altered[at] = (altered[at] ?? 0) ^ mask;
    return [altered];
  };
}

async function inBatches(tasks: readonly (() => Promise<unknown>)[], size: number): Promise<void> {
  for (let at = 0; at < tasks.length; at += size) await Promise.all(tasks.slice(at, at + size).map((task) => task()));
}
