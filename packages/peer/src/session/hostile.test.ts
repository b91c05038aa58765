import fc from "fast-check";
import { expect, test } from "vitest";
import { Checks } from "./check.js";
import { Duo } from "./duo.test-support.js";
import { SealedChannel } from "./sealed.js";
import type { SessionInput } from "./session-io.js";

const PORT = { mapping: "endpoint-independent", filtering: "address-and-port-dependent" } as const;
const AIMS = [
  "127.0.0.1",
  "::1",
  "192.168.1.10",
  "224.0.0.1",
  "255.255.255.255",
  "169.254.169.254",
  "192.0.2.1",
  "192.168.1.20",
  "10.9.9.9",
];

const endpoint = fc.record({ address: fc.constantFrom(...AIMS), port: fc.constantFrom(1, 53, 50_000) });
const said = fc.oneof(
  fc.record({
    type: fc.constant("candidates"),
    try: fc.oneof(fc.nat(8), fc.nat(2_000_000)),
    candidates: fc.array(endpoint.map((aim) => ({ type: "host", ...aim }))),
  }),
  fc.record({ type: fc.constant("opened"), try: fc.nat(8) }),
  fc.record({
    type: fc.constant("nat"),
    nat: fc.constant({ type: "__proto__", mapping: "", filtering: "constructor", confidence: "\u001b[31m" }),
  }),
  fc.jsonValue(),
);
const deed = fc.oneof(
  fc.record({ type: fc.constant("control" as const), message: said, ack: fc.nat(100), repeats: fc.boolean(), sealed: fc.boolean() }),
  fc.record({ type: fc.constant("check" as const), from: endpoint, nominates: fc.boolean(), socket: fc.nat(4) }),
  fc.record({
    type: fc.constant("sealed" as const),
    from: endpoint,
    kind: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 40 }),
    socket: fc.nat(4),
  }),
  fc.record({ type: fc.constant("wait" as const), ms: fc.nat(3_000) }),
);

test("a holder of the ticket who says and sends anything in any order aims us at nobody it must not, and breaks nothing", () => {
  fc.assert(
    fc.property(fc.array(deed, { minLength: 20, maxLength: 80 }), fc.boolean(), (deeds, connected) => {
      const duo = new Duo({ listener: [PORT], connector: [PORT] });
      if (connected) duo.connect();
      else duo.clock.runFor(12);
      // From here on it is somebody else who has the connector's keys, on the same line.
      const [a, b, c, d] = [1, 2, 3, 4].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer, Buffer, Buffer];
      const checks = new Checks("connector", { send: b, receive: a });
      const sealed = new SealedChannel({ send: d, receive: c });
      for (let i = 0; i < 2_000; i++) checks.request(Buffer.alloc(12), false);
      for (let i = 0; i < 2_000; i++) sealed.seal(0, Buffer.alloc(0));
      const { session } = duo.listener;
      let now = duo.clock.now;
      let seq = 0;
      let closed = false;
      const feed = (input: SessionInput) => {
        for (const output of session.handle(now, input)) {
          expect(closed).toBe(false);
          if (output.type === "wake") expect(output.at).toBeGreaterThan(now);
          if (output.type === "event" && output.event.event === "closed") closed = true;
          if (output.type === "open")
            session.handle(now, { type: "opened", socket: output.socket, hosts: [{ address: "192.168.1.10", port: 1 }] });
          if (output.type === "send") expect(AIMS.slice(0, 6)).not.toContain(output.to.address);
        }
      };
      for (const one of deeds) {
        if (one.type === "wait") {
          for (let i = 0; i < 20; i++) {
            now += one.ms / 20;
            feed({ type: "tick" });
          }
        } else if (one.type === "control") {
          const bytes = Buffer.from(JSON.stringify({ seq, ack: one.ack, message: one.message }));
          if (!one.repeats) seq += 1;
          if (!one.sealed) feed({ type: "control", bytes });
          else feed({ type: "datagram", socket: 0, from: { address: "192.0.2.1", port: 1 }, bytes: sealed.seal(1, bytes) });
        } else if (one.type === "check") {
          const bytes = checks.request(Buffer.alloc(12, now & 255), one.nominates);
          feed({ type: "datagram", socket: one.socket, from: one.from, bytes });
        } else {
          feed({ type: "datagram", socket: one.socket, from: one.from, bytes: sealed.seal(one.kind as 0, one.payload) });
        }
      }
    }),
    { numRuns: 100 },
  );
});
