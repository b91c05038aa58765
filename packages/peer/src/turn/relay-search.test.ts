import { type Endpoint, formatEndpoint, Method } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { Clock } from "../clock.test-support.js";
import { RelaySearch } from "./relay-search.js";
import type { LinkId, RelayEvent, RelaySearchInput, RelaySearchOutput, RelayServer } from "./relay-search-io.js";
import type { RelayTransport } from "./relay-uri.js";
import { ADA, type ServerDoubleOptions, TurnServerDouble } from "./turn-server.test-support.js";

const PEER: Endpoint = { address: "192.0.2.9", port: 9_000 };

/** What an address is to the search: a server, one way and another, or nothing at all. */
interface Place {
  readonly server?: Partial<ServerDoubleOptions>;
  /** One way. @default 10 */
  readonly delayMs?: number;
  /** What swallows everything, or refuses connections. @default neither */
  readonly udp?: "silent";
  readonly tcp?: "silent" | "refused";
}

/** A search among servers, in virtual time. */
class Hunt {
  readonly clock = new Clock(1);
  readonly events: RelayEvent[] = [];
  readonly opened: { at: number; way: string; link: LinkId; host: string }[] = [];
  readonly closed: LinkId[] = [];
  readonly doubles = new Map<string, TurnServerDouble>();
  readonly received: string[] = [];
  readonly search: RelaySearch;
  readonly #places: Record<string, Place>;
  readonly #links = new Map<LinkId, Extract<RelaySearchOutput, { type: "open" }>>();
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(places: Record<string, Place>, ways: readonly string[], options: { udpBlocked?: boolean } = {}) {
    this.#places = places;
    const random = (length: number) => Buffer.from(Array.from({ length }, () => Math.trunc(this.clock.random() * 256)));
    this.search = new RelaySearch({ servers: ways.map(serverOf), family: 4, random, ...options });
  }

  run(ms = 60_000): this {
    this.feed({ type: "tick" });
    this.clock.runFor(ms, () => this.events.length > 0);
    return this;
  }

  get ended(): boolean {
    return this.events.some(({ event }) => event === "failed" || event === "ended");
  }

  get allocations(): number {
    return [...this.doubles.values()].reduce((sum, { allocations }) => sum + allocations.size, 0);
  }

  double(address: string): TurnServerDouble {
    const known = this.doubles.get(address);
    if (known) return known;
    const double = new TurnServerDouble({ address, ...this.#places[address]?.server }, (out) => {
      if ("client" in out) {
        const link = out.client.port;
        const later = this.#places[address]?.delayMs ?? 10;
        this.clock.later(() => this.#links.has(link) && this.feed({ type: "datagram", link, bytes: out.bytes }), later);
      } else {
        this.clock.later(() => double.fromPeer(this.clock.now, out.from, out.peer, out.bytes), 20);
      }
    });
    this.doubles.set(address, double);
    return double;
  }

  feed(input: RelaySearchInput): void {
    const wasOver = this.ended;
    for (const output of this.search.handle(this.clock.now, input)) {
      if (wasOver) throw new Error(`said after the end: ${output.type}`);
      switch (output.type) {
        case "open":
          this.#open(output);
          break;
        case "send":
          this.#send(output.link, output.bytes);
          break;
        case "close-link":
          this.closed.push(output.link);
          this.#links.delete(output.link);
          break;
        case "data":
          this.received.push(output.bytes.toString());
          break;
        case "event":
          this.events.push(output.event);
          break;
        case "wake":
          this.#wake(output.at);
      }
    }
  }

  #open(output: Extract<RelaySearchOutput, { type: "open" }>): void {
    const { link, transport, endpoint, host } = output;
    const { tcp, delayMs = 10 } = this.#places[endpoint.address] ?? {};
    this.opened.push({ at: this.clock.now, way: `${transport} ${endpoint.address}`, link, host });
    this.#links.set(link, output);
    const answer = (input: RelaySearchInput, ms: number) => this.clock.later(() => this.#links.has(link) && this.feed(input), ms);
    if (transport === "udp") answer({ type: "opened", link }, 0);
    else if (tcp === "refused") answer({ type: "lost", link, text: "The connection was refused." }, 2 * delayMs);
    else if (tcp === undefined) answer({ type: "opened", link }, 2 * delayMs);
  }

  #send(link: LinkId, bytes: Buffer): void {
    const { transport, endpoint } = this.#links.get(link) ?? {};
    if (!transport || !endpoint) throw new Error("sent on a link that is not open");
    const place = this.#places[endpoint.address];
    if (!place || (transport === "udp" && place.udp === "silent")) return;
    const client = { address: "198.51.100.7", port: link };
    this.clock.later(() => this.double(endpoint.address).receive(this.clock.now, client, bytes), place.delayMs ?? 10);
  }

  #wake(at: number): void {
    if (at <= this.clock.now) throw new Error(`a deadline in the past: ${at} at ${this.clock.now}`);
    this.#wakeAt = at;
    if (at < Number.POSITIVE_INFINITY) this.clock.at(at, () => this.#wakeAt === at && this.feed({ type: "tick" }));
  }
}

/** "udp 203.0.113.1" */
function serverOf(way: string): RelayServer {
  const [transport = "udp", address = ""] = way.split(" ");
  return { transport: transport as RelayTransport, endpoint: { address, port: 3478 }, host: "relay.example.org", credentials: ADA };
}

const A = "203.0.113.1";
const B = "203.0.113.2";

describe("the way in", () => {
  test("UDP, and nothing else if it answers", () => {
    const hunt = new Hunt({ [A]: {} }, [`tcp ${A}`, `udp ${A}`]).run();
    expect(hunt.events).toMatchObject([{ event: "allocated", relayed: { address: A }, server: { transport: "udp" } }]);
    expect(hunt.clock.now).toBe(40);
    expect(hunt.opened).toHaveLength(1);
  });

  test("a stream where UDP is swallowed, after a quarter of a second", () => {
    const hunt = new Hunt({ [A]: { udp: "silent" } }, [`udp ${A}`, `tcp ${A}`, `tls ${A}`]).run();
    expect(hunt.events).toMatchObject([{ event: "allocated", server: { transport: "tcp" } }]);
    expect(hunt.opened.map(({ at, way }) => [at, way])).toEqual([
      [0, `udp ${A}`],
      [250, `tcp ${A}`],
    ]);
    expect(hunt.clock.now).toBe(310);
    hunt.clock.runFor(5_000);
    expect(hunt.closed).toEqual([0]);
    expect(hunt.ended).toBe(false);
  });

  test("a stream at once where UDP is known to be blocked", () => {
    const hunt = new Hunt({ [A]: { udp: "silent" } }, [`udp ${A}`, `tcp ${A}`], { udpBlocked: true }).run();
    expect(hunt.events).toMatchObject([{ event: "allocated", server: { transport: "tcp" } }]);
    expect(hunt.clock.now).toBe(60);
    expect(hunt.opened).toHaveLength(1);
  });

  test("TLS where a firewall lets nothing else through", () => {
    const hunt = new Hunt({ [A]: { udp: "silent", tcp: "silent" }, [B]: {} }, [`udp ${A}`, `tcp ${A}`, `tls ${B}`]).run();
    expect(hunt.events).toMatchObject([{ event: "allocated", server: { transport: "tls" } }]);
    expect(hunt.opened.at(-1)).toMatchObject({ host: "relay.example.org", at: 500 });
  });

  test("the next server where the first is dead, and at once where it says no", () => {
    const dead = new Hunt({ [B]: {} }, [`udp ${A}`, `udp ${B}`]).run();
    expect(dead.events).toMatchObject([{ event: "allocated", relayed: { address: B } }]);
    expect(dead.clock.now).toBe(290);
    const full = new Hunt({ [A]: { server: { refuse: () => ({ code: 508 }) } }, [B]: {} }, [`udp ${A}`, `udp ${B}`]).run();
    expect(full.events).toMatchObject([{ event: "allocated", relayed: { address: B } }]);
    expect(full.clock.now).toBe(80);
    expect(full.search.failures).toMatchObject([{ code: "no-capacity", transport: "udp", endpoint: { address: A } }]);
  });

  test("the first that allocates is taken; what a slower one allocates is given back", () => {
    const hunt = new Hunt({ [A]: { delayMs: 140 }, [B]: {} }, [`udp ${A}`, `udp ${B}`]).run();
    expect(hunt.events).toMatchObject([{ event: "allocated", relayed: { address: B } }]);
    hunt.clock.runFor(5_000);
    expect(hunt.double(A).allocations.size).toBe(0);
    expect(hunt.closed).toEqual([0]);
    expect(hunt.allocations).toBe(1);
  });
});

describe("what goes wrong", () => {
  test("nobody there: why, of each", () => {
    const hunt = new Hunt({ [A]: { udp: "silent", tcp: "refused" }, [B]: { tcp: "silent" } }, [`udp ${A}`, `tcp ${A}`, `tls ${B}`]).run();
    expect(hunt.events).toMatchObject([
      {
        event: "failed",
        failures: [
          { code: "lost", transport: "tcp" },
          { code: "timeout", transport: "tls" },
          { code: "timeout", transport: "udp" },
        ],
        text: "The connection was refused (tcp); No connection to 203.0.113.2:3478 came about (tls); The relay at 203.0.113.1:3478 does not answer (udp).",
      },
    ]);
    expect(hunt.closed.sort()).toEqual([0, 1, 2]);
    hunt.feed({ type: "tick" });
  });

  test("no server at all", () => {
    expect(new Hunt({}, []).run().events).toEqual([{ event: "failed", failures: [], text: "There is no relay to ask." }]);
  });

  test("what a server refuses over UDP it is not asked again over TCP", () => {
    const places = { [A]: { server: { refuse: () => ({ code: 486 }) } } };
    const hunt = new Hunt(places, [`udp ${A}`, `tcp ${A}`, `tls ${A}`]).run();
    expect(hunt.events).toMatchObject([{ event: "failed", failures: [{ code: "quota-reached" }] }]);
    expect(hunt.opened).toHaveLength(1);
  });

  test("a 5-tuple that is in use is replaced by another, twice", () => {
    let left = 2;
    const refuse = (method: number) => (method === Method.Allocate && left-- > 0 ? { code: 437 } : undefined);
    const hunt = new Hunt({ [A]: { server: { refuse } } }, [`udp ${A}`]).run();
    expect(hunt.events).toMatchObject([{ event: "allocated" }]);
    expect(hunt.opened.map(({ link }) => link)).toEqual([0, 1, 2]);
    expect(hunt.closed).toEqual([0, 1]);
    const never = new Hunt({ [A]: { server: { refuse: () => ({ code: 437 }) } } }, [`udp ${A}`]).run();
    expect(never.events).toMatchObject([{ event: "failed", failures: [{ code: "allocation-mismatch" }] }]);
    expect(never.opened).toHaveLength(3);
  });

  test("a redirection is followed before others are tried, round in circles only once", () => {
    const to = { address: B, port: 3478 };
    const there = new Hunt({ [A]: { server: { refuse: () => ({ code: 300, to }) } }, [B]: {} }, [`udp ${A}`, "udp 203.0.113.3"]).run();
    expect(there.events).toMatchObject([{ event: "allocated", relayed: { address: B } }]);
    expect(there.opened.map(({ way }) => way)).toEqual([`udp ${A}`, `udp ${B}`]);
    const back = { refuse: () => ({ code: 300, to: { address: A, port: 3478 } }) };
    const circle = new Hunt({ [A]: { server: { refuse: () => ({ code: 300, to }) } }, [B]: { server: back } }, [`udp ${A}`]).run();
    expect(circle.events).toMatchObject([{ event: "failed", failures: [{ code: "try-alternate" }, { code: "try-alternate" }] }]);
  });

  test("a chain of redirections has an end", () => {
    let port = 4_000;
    const refuse = () => ({ code: 300, to: { address: A, port: port++ } });
    const hunt = new Hunt({ [A]: { server: { refuse } } }, [`udp ${A}`]).run();
    expect(hunt.events).toMatchObject([{ event: "failed" }]);
    expect(hunt.opened).toHaveLength(16);
  });

  test("a relay that dies is said so, once, and every link is closed", () => {
    const hunt = new Hunt({ [A]: {} }, [`tcp ${A}`]).run();
    hunt.feed({ type: "lost", link: 0, text: "The connection was reset." });
    expect(hunt.events.at(-1)).toEqual({ event: "ended", code: "lost", text: "The connection was reset." });
    expect(hunt.closed).toEqual([0]);
  });
});

test("data goes both ways through the one that was taken; who was permitted before it was there is", () => {
  const hunt = new Hunt({ [A]: { udp: "silent" } }, [`udp ${A}`, `tcp ${A}`]);
  hunt.feed({ type: "permit", peers: [PEER] });
  hunt.run();
  hunt.clock.runFor(100);
  const [allocation] = hunt.double(A).allocations.values();
  expect([...(allocation?.permissions.keys() ?? [])]).toEqual([PEER.address]);
  for (const text of ["one", "two", "three"]) {
    hunt.feed({ type: "relay", to: PEER, bytes: Buffer.from(text) });
    hunt.clock.runFor(100);
  }
  expect(hunt.received).toEqual(["one", "two", "three"]);
  expect(hunt.double(A).violations).toEqual([]);
});

test.each([0, 5, 15, 35, 300, 5_000])("closed after %d ms it leaves nothing allocated and no link open", (ms) => {
  const hunt = new Hunt({ [A]: {}, [B]: { delayMs: 200 } }, [`udp ${B}`, `udp ${A}`, `tcp ${A}`]);
  hunt.feed({ type: "tick" });
  hunt.clock.runFor(ms);
  hunt.feed({ type: "close" });
  hunt.clock.runFor(5_000);
  expect(hunt.events.at(-1)).toMatchObject({ event: "ended", code: "closed" });
  expect(hunt.allocations).toBe(0);
  expect(hunt.closed.sort()).toEqual(hunt.opened.map(({ link }) => link));
});

test("whatever servers do, the search ends with a relay or with reasons, and no link stays open behind it", () => {
  const deeds = [{}, { udp: "silent" }, { tcp: "refused" }, { tcp: "silent", udp: "silent" }, { delayMs: 400 }] as const;
  for (const [i, first] of deeds.entries()) {
    for (const [j, second] of deeds.entries()) {
      const hunt = new Hunt({ [A]: first, [B]: second }, [`udp ${A}`, `tcp ${A}`, `udp ${B}`, `tls ${B}`]).run();
      expect(hunt.events, `${i} ${j}`).toHaveLength(1);
      hunt.clock.runFor(20_000);
      expect(hunt.closed.length).toBe(hunt.opened.length - (hunt.ended ? 0 : 1));
      expect(hunt.allocations).toBe(hunt.ended ? 0 : 1);
      expect(hunt.search.failures.map(({ endpoint }) => formatEndpoint(endpoint)).every((at) => at.endsWith(":3478"))).toBe(true);
    }
  }
});
