import { encodeSignalFrame } from "@awl/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Crowd, type Guest, type Key, makeKey } from "./crowd.test-support.js";
import type { SignalLimits } from "./limits.js";

const KEYS = [makeKey(), makeKey(), makeKey()];
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];

/** So tight that hostile clients run into all of them. */
const LIMITS: Partial<SignalLimits> = {
  clients: 6,
  clientsPerAddress: 3,
  rooms: 2,
  linksPerRoom: 3,
  linksPerRoomAndAddress: 2,
  linksPerClient: 2,
  knockBurst: 4,
  knockRate: 10,
  messageBytes: 400,
  messageBurst: 20,
  messageRate: 50,
  byteBurst: 2000,
  byteRate: 2000,
  frameWaitingBytes: 500,
  waitingBytes: 1000,
  handshakeMs: 300,
  idleMs: 400,
  linkIdleMs: 500,
};

/** What one of them, or time, does next. `who`, `key`, `link`: picked from those there are. */
const actions = fc.record({
  what: fc.constantFrom(
    ...(["connect", "connect", "connect", "leave", "pass", "text", "bytes", "control", "waiting"] as const),
    ...(["register", "register", "forge", "steal", "knock", "knock", "knock", "unlink"] as const),
    ...(["frame", "frame", "frame", "frame", "frame", "blind frame", "blind frame", "drain"] as const),
  ),
  who: fc.nat(20),
  key: fc.nat(KEYS.length - 1),
  address: fc.nat(ADDRESSES.length - 1),
  link: fc.nat(4),
  ms: fc.nat(300),
  size: fc.nat(1200),
  text: fc.oneof(fc.string(), fc.json()),
});
type Action = typeof actions extends fc.Arbitrary<infer T> ? T : never;

/** The clients' own view of who is linked with whom, put together from what each was told. */
class Links {
  readonly #other = new Map<string, string>();

  /** Takes the links out of what the two sides of a knock were told. */
  observe(guests: Iterable<Guest>): void {
    const told = [...guests].flatMap((guest) => guest.messages.splice(0).map((message) => ({ guest, message })));
    const linked = told.find(({ message }) => message.type === "linked");
    const knocked = told.find(({ message }) => message.type === "knocked");
    expect(linked === undefined).toBe(knocked === undefined);
    if (linked?.message.type !== "linked" || knocked?.message.type !== "knocked") return;
    const [a, b] = [`${linked.guest.id}:${linked.message.link}`, `${knocked.guest.id}:${knocked.message.link}`];
    expect([this.#other.has(a), this.#other.has(b)]).toEqual([false, false]);
    this.#other.set(a, b).set(b, a);
  }

  /** Any one there is or was, as its guest and number. */
  pick(index: number): [number, number] | undefined {
    const [guest, link] = [...this.#other.keys()][index % this.#other.size]?.split(":").map(Number) ?? [];
    return guest === undefined || link === undefined ? undefined : [guest, link];
  }

  areEnds(a: string, b: string): boolean {
    return this.#other.get(a) === b;
  }
}

function perform(crowd: Crowd, links: Links, action: Action): void {
  const present = [...crowd.guests.values()].filter(({ gone }) => !gone);
  const guest = present[action.who % Math.max(1, present.length)];
  const key = KEYS[action.key] as Key;
  if (action.what === "connect" && present.length < 10) crowd.connect(ADDRESSES[action.address]);
  if (action.what === "pass") crowd.pass(action.ms);
  if (action.what === "drain" && action.size < 50) crowd.feed({ type: "drain" });
  if (!guest) return;
  switch (action.what) {
    case "leave":
      return guest.leave();
    case "text":
      return guest.sayText(action.size < 300 ? action.text : '{"type":"new"}');
    case "bytes":
      return guest.sayBytes(Buffer.alloc(action.size < 100 ? 4 : action.size % 500, 0xff));
    case "control":
      return crowd.feed({ type: "control", client: guest.id, bytes: action.size % 125 });
    case "waiting":
      return crowd.feed({ type: "waiting", client: guest.id, bytes: action.size });
    case "register":
      return guest.register(key);
    case "forge":
      return guest.register({ ...key, sign: (KEYS[(action.key + 1) % KEYS.length] as Key).sign });
    case "steal": {
      const victim = present[(action.who + 1) % present.length] as Guest;
      return victim === guest ? undefined : guest.register({ ...key, sign: () => key.sign(victim.challenge) });
    }
    case "knock":
      return guest.knock(key.room);
    case "unlink":
      return guest.say({ type: "unlink", link: action.link });
    case "frame": {
      const [id = 0, link = 0] = links.pick(action.who) ?? [];
      const sender = crowd.guests.get(id);
      return sender?.gone === false ? sender.frame(link, `${id}:${link}`) : undefined;
    }
    case "blind frame": {
      const link = action.size < 600 ? action.link : action.size * 0x10000;
      return guest.sayBytes(encodeSignalFrame(link, Buffer.from(`${guest.id}:${link}`)));
    }
  }
}

test("however hostile clients interleave, a frame reaches nobody but the other end of its link, and state keeps its bounds", () => {
  const reached = { links: 0, frames: 0, errors: new Set<string>() };
  fc.assert(
    fc.property(fc.array(actions, { maxLength: 120, size: "max" }), (script) => {
      const crowd = new Crowd(LIMITS);
      const links = new Links();
      for (const key of KEYS.slice(0, 2)) crowd.listener(key);
      for (const action of script) {
        perform(crowd, links, action);
        links.observe(crowd.guests.values());
        for (const guest of crowd.guests.values()) {
          for (const { link, data } of guest.frames.splice(0)) {
            expect(links.areEnds(data, `${guest.id}:${link}`)).toBe(true);
            reached.frames++;
          }
        }
        const { clients, rooms, links: count } = crowd.server.size;
        expect(clients).toBeLessThanOrEqual(6);
        expect(rooms).toBeLessThanOrEqual(2);
        expect(count).toBeLessThanOrEqual(6);
        reached.links = Math.max(reached.links, count);
      }
      for (const guest of crowd.guests.values()) if (!guest.gone) guest.leave();
      expect(crowd.server.isEmpty).toBe(true);
      for (const [code, count] of Object.entries(crowd.server.counters.errors)) if (count > 0) reached.errors.add(code);
      const { connected, disconnected } = crowd.server.counters;
      expect(disconnected).toBe(connected);
    }),
    { numRuns: 500 },
  );
  // It is a test of nothing if the crowd never gets anywhere.
  expect(reached.links).toBeGreaterThanOrEqual(2);
  expect(reached.frames).toBeGreaterThan(500);
  expect(reached.errors.size).toBeGreaterThan(15);
}, 60_000);
