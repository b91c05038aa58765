import fc from "fast-check";
import { expect, test } from "vitest";
import { Clock } from "../clock.test-support.js";
import { type Carrier, ControlLink } from "./control-link.js";
import type { ControlMessage } from "./control-message.js";

const say = (number: number): ControlMessage => ({ type: "opened", try: number });
const bytesOf = (envelope: unknown) => Buffer.from(JSON.stringify(envelope));

interface Weather {
  readonly seed: number;
  /** Of the path; what a rendezvous forwards is lost only with it. */
  readonly loss: number;
  readonly duplication: number;
  /** When each carrier changes between up and down, for both sides at once. */
  readonly switches: readonly { readonly carrier: Carrier; readonly at: number }[];
  readonly messages: readonly { readonly from: 0 | 1; readonly at: number }[];
}

const weather = fc.record<Weather>({
  seed: fc.nat(),
  loss: fc.double({ min: 0, max: 0.6, noNaN: true }),
  duplication: fc.double({ min: 0, max: 0.5, noNaN: true }),
  switches: fc.array(fc.record({ carrier: fc.constantFrom<Carrier>("signal", "path"), at: fc.nat(20_000) }), { maxLength: 20 }),
  messages: fc.array(fc.record({ from: fc.constantFrom<0 | 1>(0, 1), at: fc.nat(20_000) }), { maxLength: 60 }),
});

test("each message comes once and in order, whatever the carriers do, once one of them is up", () => {
  fc.assert(
    fc.property(weather, ({ seed, loss, duplication, switches, messages }) => {
      const clock = new Clock(seed);
      const links = [new ControlLink(), new ControlLink()] as const;
      const up = new Set<Carrier>();
      const heard: number[][] = [[], []];
      const pump = (side: 0 | 1) => {
        const link = links[side];
        for (const { carrier, bytes } of link.poll(clock.now)) {
          expect(up.has(carrier)).toBe(true);
          const copies = carrier === "path" ? Number(clock.random() >= loss) + Number(clock.random() < duplication) : 1;
          for (let i = 0; i < copies; i++) clock.later(() => arrive(1 - side, carrier, bytes), 5 + clock.random() * 100);
        }
        expect(link.deadline).toBeGreaterThan(clock.now);
        if (link.deadline < Number.POSITIVE_INFINITY) clock.later(() => pump(side), link.deadline - clock.now);
      };
      const arrive = (side: number, carrier: Carrier, bytes: Buffer) => {
        const at = side as 0 | 1;
        if (!up.has(carrier)) return;
        const message = links[at].receive(clock.now, carrier, bytes);
        if (message?.type === "opened") heard[at]?.push(message.try);
        pump(at);
      };
      const set = (carrier: Carrier, isUp: boolean) => {
        if (isUp) up.add(carrier);
        else up.delete(carrier);
        for (const side of [0, 1] as const) {
          links[side].setCarrier(clock.now, carrier, isUp);
          pump(side);
        }
      };
      const said = [0, 0];
      for (const { carrier, at } of switches) clock.later(() => set(carrier, !up.has(carrier)), at);
      for (const { from, at } of messages) {
        clock.later(() => {
          links[from].send(clock.now, say(said[from] as number));
          said[from] = (said[from] as number) + 1;
          pump(from);
        }, at);
      }
      clock.runFor(20_001);
      set("path", false);
      set("signal", true);
      clock.runFor(60_000);
      for (const side of [0, 1] as const) expect(heard[side]).toEqual(Array.from({ length: said[1 - side] as number }, (_, i) => i));
    }),
    { numRuns: 200 },
  );
});

test("a peer that never acknowledges costs 64 messages, and what is said beyond them leaves no gap", () => {
  const link = new ControlLink();
  link.setCarrier(0, "signal", true);
  for (let i = 0; i < 1_000; i++) link.send(0, say(i));
  expect(link.poll(0)).toHaveLength(64);
  link.receive(1, "signal", bytesOf({ ack: 64 }));
  link.send(1, say(7));
  expect(link.poll(1).map(({ bytes }) => JSON.parse(bytes.toString()).seq)).toEqual([64]);
});

test("an acknowledgement of what was never sent changes nothing", () => {
  const link = new ControlLink();
  link.send(0, say(0));
  link.receive(0, "path", bytesOf({ ack: 2 ** 50 }));
  link.setCarrier(5, "path", true);
  expect(link.poll(5)).toHaveLength(1);
  link.receive(25, "path", bytesOf({ ack: 2 ** 50 }));
  expect(link.rttMs).toBe(20);
  expect(link.deadline).toBe(Number.POSITIVE_INFINITY);
});

test("a message of an unknown kind is passed over, not waited for", () => {
  const link = new ControlLink();
  expect(link.receive(0, "signal", bytesOf({ seq: 0, ack: 0, message: { type: "of a later version" } }))).toBeUndefined();
  expect(link.receive(0, "signal", bytesOf({ seq: 1, ack: 0, message: say(3) }))).toEqual(say(3));
});

test("nothing that a peer says can steer the terminal", () => {
  const link = new ControlLink();
  const bye = { type: "bye", code: "a\u001b[2J", text: "line\r\nline\u202e" };
  expect(link.receive(0, "signal", bytesOf({ seq: 0, ack: 0, message: bye }))).toEqual({ type: "bye", code: "a[2J", text: "lineline" });
});
