import type { Endpoint } from "@awl/wire";
import { expect, test } from "vitest";
import { Clock } from "../clock.test-support.js";
import type { Role } from "../handshake/role.js";
import { ADA, TurnServerDouble } from "../turn/turn-server.test-support.js";
import { Session } from "./session.js";
import type { AllowedPaths, PathEvent, SessionEvent, SessionInput, SessionOptions, SessionOutput } from "./session-io.js";

const SERVER: Endpoint = { address: "203.0.113.1", port: 3478 };
const WAY_MS = 10;

/** Two sessions and a relay between them. What goes directly passes only where it is let. */
class World {
  readonly clock = new Clock(1);
  readonly relay: TurnServerDouble;
  readonly listener: Side;
  readonly connector: Side;
  passesDirectly = false;
  passesRelay = true;

  constructor(paths: Partial<Record<Role, AllowedPaths>> = {}) {
    this.relay = new TurnServerDouble({ address: SERVER.address }, (send) => {
      if (!this.passesRelay) return;
      if ("peer" in send) this.clock.later(() => this.relay.fromPeer(this.clock.now, send.peer, send.from, send.bytes));
      else this.clock.later(() => this.#clientAt(send.client)?.hearRelay(send.client, send.bytes), WAY_MS);
    });
    this.listener = new Side(this, "listener", "198.51.100.1", paths.listener);
    this.connector = new Side(this, "connector", "198.51.100.2", paths.connector);
    for (const side of this.sides) side.feed({ type: "signal", up: true });
    for (const side of this.sides) side.offerRelay();
  }

  get sides(): readonly Side[] {
    return [this.listener, this.connector];
  }

  other(side: Side): Side {
    return side === this.listener ? this.connector : this.listener;
  }

  /** So many pings a second of the connector's, for so long. */
  ping(ms: number, everyMs = 100): void {
    for (let at = 0; at < ms; at += everyMs) this.clock.later(() => this.connector.feed({ type: "ping" }), at);
    this.clock.runFor(ms);
  }

  #clientAt(client: Endpoint): Side | undefined {
    return this.sides.find(({ address }) => address === client.address);
  }
}

class Side {
  readonly events: (SessionEvent & { at: number })[] = [];
  readonly address: string;
  sockets = 0;
  readonly #world: World;
  readonly #session: Session;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(world: World, role: Role, address: string, paths: AllowedPaths = "any") {
    this.#world = world;
    this.address = address;
    const [mine, theirs] = role === "listener" ? [1, 2] : [2, 1];
    const key = (fill: number) => Buffer.alloc(32, fill);
    const keys = {
      checks: { send: key(mine), receive: key(theirs) },
      datagrams: { send: key(mine + 4), receive: key(theirs + 4) },
    };
    const random = (length: number) => Buffer.from(Array.from({ length }, () => Math.trunc(world.clock.random() * 256)));
    const options: SessionOptions = { role, keys, families: [4], stun: [], own: new Set([address]), startedAt: 0, random, paths };
    this.#session = new Session(options);
  }

  offerRelay(): void {
    const credentials = { ...ADA, ...this.#world.relay.issue(this.#world.clock.now) };
    this.feed({ type: "relays", servers: [{ transport: "udp", endpoint: SERVER, host: SERVER.address, credentials }], renewed: false });
  }

  feed(input: SessionInput): void {
    for (const output of this.#session.handle(this.#world.clock.now, input)) this.#perform(output);
  }

  hearRelay(at: Endpoint, bytes: Buffer): void {
    this.feed({ type: "relay", input: { type: "datagram", link: at.port - LINK_PORTS, bytes } });
  }

  all<Name extends SessionEvent["event"]>(name: Name) {
    return this.events.filter((event): event is Extract<SessionEvent, { event: Name }> & { at: number } => event.event === name);
  }

  get paths(): readonly PathEvent["kind"][] {
    return this.all("path").map(({ kind }) => kind);
  }

  #perform(output: SessionOutput): void {
    const { clock } = this.#world;
    const there = this.#world.other(this);
    switch (output.type) {
      case "open": {
        const { socket } = output;
        this.sockets += 1;
        return clock.later(() => this.feed({ type: "opened", socket, hosts: [{ address: this.address, port: 40_000 + socket }] }));
      }
      case "send": {
        if (!this.#world.passesDirectly) return;
        const from = { address: this.address, port: 40_000 + output.socket };
        return clock.later(() => there.feed({ type: "datagram", socket: output.to.port - 40_000, from, bytes: output.bytes }), WAY_MS);
      }
      case "control":
        return clock.later(() => there.feed({ type: "control", bytes: output.bytes }), WAY_MS);
      case "relay":
        return this.#performRelay(output.output);
      case "event":
        return void this.events.push({ ...output.event, at: clock.now });
      case "wake":
        if (output.at <= clock.now) throw new Error("a deadline that is not ahead");
        this.#wakeAt = output.at;
        return clock.at(output.at, () => this.#wakeAt === output.at && this.feed({ type: "tick" }));
      case "close-socket":
    }
  }

  #performRelay(output: Extract<SessionOutput, { type: "relay" }>["output"]): void {
    const { clock, relay } = this.#world;
    const { link } = output;
    if (output.type === "open") clock.later(() => this.feed({ type: "relay", input: { type: "opened", link } }));
    if (output.type !== "send" || !this.#world.passesRelay) return;
    clock.later(() => relay.receive(clock.now, { address: this.address, port: LINK_PORTS + link }, output.bytes), WAY_MS);
  }
}

const LINK_PORTS = 20_000;

test("where nothing else passes, data flows over the relay within a few round trips, and the reason is told when all has been tried", () => {
  const { clock, connector, listener } = new World();
  clock.runFor(200);
  expect([connector.paths, listener.paths]).toEqual([["relay"], ["relay"]]);
  expect(connector.all("path")[0]?.at).toBeLessThanOrEqual(8 * WAY_MS);
  listener.feed({ type: "data", payload: Buffer.from("there") });
  connector.feed({ type: "data", payload: Buffer.from("and back") });
  clock.runFor(10_000);
  expect(connector.all("data").map(({ payload }) => payload.toString())).toEqual(["there"]);
  expect(listener.all("data").map(({ payload }) => payload.toString())).toEqual(["and back"]);
  expect(connector.all("reason").map(({ path, text }) => [path, text.slice(0, 22)])).toEqual([
    ["relay", "Relayed, while a direc"],
    ["relay", "Relayed: no direct pat"],
  ]);
});

test("a direct path takes over as soon as there is one, and what is sent meanwhile comes once", () => {
  const world = new World();
  const { clock, connector, listener } = world;
  clock.runFor(3_000);
  world.passesDirectly = true;
  const sent = Array.from({ length: 400 }, (_, i) => `${i}`);
  for (const [i, text] of sent.entries()) clock.later(() => connector.feed({ type: "data", payload: Buffer.from(text) }), 10 * i);
  clock.runFor(5_000);
  expect([connector.paths, listener.paths]).toEqual([
    ["relay", "direct"],
    ["relay", "direct"],
  ]);
  const came = listener.all("data").map(({ payload }) => payload.toString());
  expect(came.toSorted((a, b) => Number(a) - Number(b))).toEqual(sent);
});

test("a direct path that dies falls back on the relay within 3 s, and another is found", () => {
  const world = new World();
  world.passesDirectly = true;
  world.ping(3_000);
  expect(world.connector.paths.at(-1)).toBe("direct");
  world.passesDirectly = false;
  const diedAt = world.clock.now;
  world.ping(10_000);
  const [relayed] = world.connector.all("pong").filter(({ at, kind }) => at > diedAt && kind === "relay");
  expect((relayed?.at ?? Number.POSITIVE_INFINITY) - diedAt).toBeLessThan(3_000);
  expect(world.connector.all("lost")).toEqual([]);
  world.passesDirectly = true;
  world.ping(35_000);
  expect(world.connector.paths.at(-1)).toBe("direct");
  expect(world.connector.all("closed")).toEqual([]);
});

test("the death of the relay is not noticed on a direct path, and the relay is there again when it is needed", () => {
  const world = new World();
  world.passesDirectly = true;
  world.ping(3_000);
  const told = world.connector.events.length - world.connector.all("pong").length;
  world.relay.restart();
  for (const side of world.sides) side.offerRelay();
  world.ping(60_000, 1_000);
  expect(world.connector.events.length - world.connector.all("pong").length).toBe(told);
  world.passesDirectly = false;
  world.ping(5_000);
  expect(world.connector.paths.at(-1)).toBe("relay");
});

test("both die, and one comes back: no new session", () => {
  const world = new World();
  world.passesDirectly = true;
  world.ping(3_000);
  world.passesDirectly = false;
  world.passesRelay = false;
  world.ping(30_000, 500);
  expect(world.connector.all("lost")).not.toEqual([]);
  world.passesRelay = true;
  for (const side of world.sides) side.offerRelay();
  world.ping(60_000, 500);
  expect(world.connector.paths.at(-1)).toBe("relay");
  expect(world.connector.all("closed")).toEqual([]);
});

test("who wants direct paths alone asks for no relay, and who wants relays alone opens no socket", () => {
  const direct = new World({ listener: "direct-only" });
  direct.clock.runFor(30_000);
  expect([direct.connector.paths, direct.listener.paths]).toEqual([[], []]);
  expect(direct.connector.all("closed")).toMatchObject([{ code: "no-path" }]);
  const relayed = new World({ listener: "relay-only" });
  relayed.passesDirectly = true;
  relayed.clock.runFor(60_000);
  expect([relayed.connector.paths, relayed.listener.paths]).toEqual([["relay"], ["relay"]]);
  expect(relayed.listener.sockets).toBe(0);
  expect(relayed.listener.all("reason")).toMatchObject([{ path: "relay", text: "Relayed, as was asked for." }]);
});
