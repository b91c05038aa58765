import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Identity, identityFromSeed } from "../identity.js";
import { Introduction, type IntroductionOptions, type IntroductionOutput, MAX_INTRODUCTION_BYTES } from "./introduction.js";
import type { ExportSecret } from "./session-keys.js";

const LISTENER = identityFromSeed(new Uint8Array(32).fill(1));
const CONNECTOR = identityFromSeed(new Uint8Array(32).fill(2));
const MALLORY = identityFromSeed(new Uint8Array(32).fill(3));

/** What a TLS session of this name exports. */
function session(name: string): ExportSecret {
  return (length, label) => createHash("sha512").update(`${name}\0${label}`).digest().subarray(0, length);
}

const listener = (over: Partial<IntroductionOptions> = {}) =>
  new Introduction({ role: "listener", identity: LISTENER, listenerKey: LISTENER.publicKey, exportSecret: session("A"), ...over });
const connector = (over: Partial<IntroductionOptions> = {}) =>
  new Introduction({ role: "connector", identity: CONNECTOR, listenerKey: LISTENER.publicKey, exportSecret: session("A"), ...over });

const sent = (outputs: readonly IntroductionOutput[]): Uint8Array => {
  for (const output of outputs) if (output.type === "send") return output.message;
  throw new Error("nothing was sent");
};
const outcome = (outputs: readonly IntroductionOutput[]): string | Uint8Array => {
  const last = outputs.at(-1);
  if (last?.type === "failed") return last.error.code;
  return last?.type === "introduced" ? last.peerKey : "goes on";
};

test("one message each way, and both know each other", () => {
  const [l, c] = [listener(), connector()];
  expect(l.start()).toEqual([]);
  const answer = l.handle(sent(c.start()));
  expect(outcome(answer)).toEqual(CONNECTOR.publicKey);
  expect(outcome(c.handle(sent(answer)))).toEqual(LISTENER.publicKey);
  expect([l.handle(new Uint8Array(1)), c.handle(sent(answer))]).toEqual([[], []]);
});

test("the messages are as long as the limit says, at most", () => {
  const hello = sent(connector().start());
  expect([hello.length, sent(listener().handle(hello)).length]).toEqual([MAX_INTRODUCTION_BYTES, 66]);
});

describe("allow", () => {
  test("sees the proven key; its no reaches the connector", () => {
    const asked: Uint8Array[] = [];
    const allow = (key: Uint8Array) => {
      asked.push(key);
      return false;
    };
    const answer = listener({ allow }).handle(sent(connector().start()));
    expect(asked).toEqual([CONNECTOR.publicKey]);
    expect(outcome(answer)).toBe("not-allowed");
    const c = connector();
    c.start();
    expect(outcome(c.handle(sent(answer)))).toBe("not-allowed");
  });

  test("is not asked about a key that is not proven", () => {
    const allow = () => {
      throw new Error("asked");
    };
    const claims: Identity = { publicKey: CONNECTOR.publicKey, sign: MALLORY.sign };
    expect(outcome(listener({ allow }).handle(sent(connector({ identity: claims }).start())))).toBe("identity-mismatch");
  });

  test("a no that the listener did not sign is an impostor's", () => {
    const impostor = listener({ identity: { ...MALLORY, publicKey: LISTENER.publicKey }, allow: () => false });
    expect(outcome(connector().handle(sent(impostor.handle(sent(connector().start())))))).toBe("identity-mismatch");
  });
});

describe("a signature is worth nothing", () => {
  test("from who has not the listener's key", () => {
    const impostor = listener({ identity: MALLORY });
    expect(outcome(connector().handle(sent(impostor.handle(sent(connector().start())))))).toBe("identity-mismatch");
  });

  test("in another session: who holds the ticket and stands between two sessions cannot pass it on", () => {
    // Mallory speaks with the connector in session A and with the listener in session B.
    const hello = sent(connector({ exportSecret: session("A") }).start());
    expect(outcome(listener({ exportSecret: session("B") }).handle(hello))).toBe("identity-mismatch");
    const verdict = sent(listener({ exportSecret: session("B") }).handle(sent(connector({ exportSecret: session("B") }).start())));
    expect(outcome(connector({ exportSecret: session("A") }).handle(verdict))).toBe("identity-mismatch");
  });

  test("as the other role's: a connector cannot be sent its own one back", () => {
    // The connector's identity is that of the listener: somebody visits himself, and meets a mirror.
    const hello = sent(connector({ identity: LISTENER }).start());
    const mirrored = Buffer.concat([Buffer.of(0x02, 0x00), hello.subarray(-64)]);
    expect(outcome(connector({ identity: LISTENER }).handle(mirrored))).toBe("identity-mismatch");
  });
});

test("malformed messages", () => {
  const hello = sent(connector().start());
  const verdict = sent(listener().handle(hello));
  const broken = (message: Uint8Array) => [message.subarray(0, -1), Buffer.concat([message, Buffer.of(0)]), Buffer.alloc(message.length)];
  for (const message of [...broken(hello), verdict, new Uint8Array(0)])
    expect(outcome(listener().handle(message))).toBe("handshake-failed");
  for (const message of [...broken(verdict), hello, new Uint8Array(0)])
    expect(outcome(connector().handle(message))).toBe("handshake-failed");
});

test("every flip of a byte is found", () => {
  const hello = sent(connector().start());
  const verdict = sent(listener().handle(hello));
  const flipped = (message: Uint8Array, at: number, mask: number) => {
    const copy = Uint8Array.from(message);
    copy[at] = (copy[at] ?? 0) ^ mask;
    return copy;
  };
  fc.assert(
    fc.property(fc.nat(hello.length - 1), fc.nat(verdict.length - 1), fc.integer({ min: 1, max: 255 }), (i, j, mask) => {
      expect(outcome(listener().handle(flipped(hello, i, mask)))).toMatch(/^(?:identity-mismatch|handshake-failed)$/);
      // The verdict itself is not under the signature, but inside TLS.
      if (j !== 1) expect(outcome(connector().handle(flipped(verdict, j, mask)))).toMatch(/^(?:identity-mismatch|handshake-failed)$/);
    }),
  );
});
