import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Checks } from "./check.js";

function pair(): { listener: Checks; connector: Checks } {
  const [a, b] = [randomBytes(32), randomBytes(32)];
  return { listener: new Checks("listener", { send: a, receive: b }), connector: new Checks("connector", { send: b, receive: a }) };
}

const id = randomBytes(12);

test("a request and its answer", () => {
  const { listener, connector } = pair();
  const source = { address: "198.18.1.1", port: 4_000 };
  expect(listener.open(connector.request(id, true))).toEqual({ type: "request", transactionId: id, nominates: true, counter: 0 });
  expect(connector.open(listener.answer(id, source))).toEqual({ type: "answer", transactionId: id, mapped: source });
  expect(connector.open(listener.request(id, false))).toMatchObject({ type: "request", nominates: false });
});

test("a request is accepted once, and never by the side that sent it", () => {
  const { listener, connector } = pair();
  const request = connector.request(id, false);
  expect(connector.open(request)).toBe("forged");
  expect(listener.open(request)).toMatchObject({ type: "request" });
  expect(listener.open(request)).toBe("replayed");
});

test("no bit of it can be changed, but in the FINGERPRINT behind its integrity, where it changes nothing", () => {
  const { listener, connector } = pair();
  const request = connector.request(id, true);
  const protectedBits = (request.length - 8) * 8;
  for (let bit = 0; bit < request.length * 8; bit++) {
    const altered = Buffer.from(request);
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const check = listener.open(altered);
    if (bit < protectedBits) expect(["forged", "not-a-check"]).toContain(check);
    else if (typeof check === "object") expect(check).toEqual({ type: "request", transactionId: id, nominates: true, counter: 0 });
  }
});

test("a stranger's check is forged, and hostile bytes are none", () => {
  const { listener } = pair();
  expect(listener.open(pair().connector.request(id, false))).toBe("forged");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => typeof listener.open(bytes) === "string"));
});
