import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { derivePsk } from "./psk.js";
import { deriveSessionKeys } from "./session-keys.js";

test("the two sides' keys pair up, and no two keys are the same", () => {
  const labels: string[] = [];
  const exported = (length: number, label: string) => {
    labels.push(label);
    return createHash("sha512").update(label).digest().subarray(0, length);
  };
  const l = deriveSessionKeys("listener", exported);
  const c = deriveSessionKeys("connector", exported);
  expect(l.checks).toEqual({ send: c.checks.receive, receive: c.checks.send });
  expect(l.datagrams).toEqual({ send: c.datagrams.receive, receive: c.datagrams.send });
  expect([l.resumption, l.sessionId]).toEqual([c.resumption, c.sessionId]);
  const all = [l.checks.send, l.checks.receive, l.datagrams.send, l.datagrams.receive, l.resumption, l.sessionId];
  expect(all.map((key) => key.length)).toEqual([32, 32, 32, 32, 32, 16]);
  expect(new Set(all.map((key) => Buffer.from(key.subarray(0, 16)).toString("hex"))).size).toBe(6);
  for (const label of labels) expect(label).toMatch(/^EXPERIMENTAL awl\/1 /);
});

test("the pre-shared key depends on all of secret and key", () => {
  const [secret, key] = [new Uint8Array(16), new Uint8Array(32)];
  expect(derivePsk(secret, key)).toHaveLength(32);
  expect(derivePsk(Uint8Array.from(secret).fill(1, 15), key)).not.toEqual(derivePsk(secret, key));
  expect(derivePsk(secret, Uint8Array.from(key).fill(1, 31))).not.toEqual(derivePsk(secret, key));
});
