/**
 * A small Internet in network namespaces, for real processes behind real NATs.
 *
 *    server "rv"             server …
 *   ┌────────────────────┐  ┌─────────┐
 *   │ eth0 203.0.113.1   │  │ eth0    │
 *   │      198.51.100.1  │  │         │
 *   └─────────┬──────────┘  └────┬────┘
 *   ┌─────────┴──────────────────┴──────────────────────────────────────────────────┐
 *   │ servers  203.0.113.254, 198.51.100.254                                        │
 *   │                                 inet: routes between its bridges, and nowhere │
 *   │ site1  198.18.1.254         site2  198.18.2.254         site3  198.18.3.254   │
 *   └─────────┬───────────────────────────┬───────────────────────────┬─────────────┘
 *   ┌─────────┴──────────┐      ┌─────────┴──────────┐      ┌─────────┴──────────┐
 *   │ wan 198.18.1.1     │      │ wan 198.18.2.1     │      │ wan 198.18.3.1     │
 *   │    home router     │      │    carrier's NAT   │      │     firewall       │
 *   │ lan 192.168.1.254  │      │ lan 100.64.0.254   │      │ lan 198.19.3.254   │
 *   └────┬──────────┬────┘      └─────────┬──────────┘      └─────────┬──────────┘
 *   ┌────┴────┐┌────┴────┐      ┌─────────┴──────────┐      ┌─────────┴──────────┐
 *   │ eth0 .10││ eth0 .11│      │ wan 100.64.0.1     │      │ eth0 198.19.3.10   │
 *   │  host 1 ││  host 2 │      │    home router     │      │       host 1       │
 *   └─────────┘└─────────┘      │ lan 192.168.1.254  │      └────────────────────┘
 *                               └─────────┬──────────┘       no NAT: the prefix is
 *                                eth0 192.168.1.10            routed to the site
 *
 * Every box is a network namespace, and all of them live in one world (world.ts) that ends with this
 * process. Between any two routers, and between a router and a server, inet is a hop: packets with a
 * TTL of the sender's own NAT layers + 1 open those NATs and die before the other side's.
 */
import type { ChildProcess } from "node:child_process";
import type { NatKindName, RouterTraits } from "../grid/nat-kinds.js";
import { Carrier } from "./carrier.js";
import { type Exit, stop } from "./command.js";
import { Host } from "./host.js";
import { Plan } from "./plan.js";
import type { Uplink } from "./router.js";
import { Segment } from "./segment.js";
import { Site } from "./site.js";
import { World } from "./world.js";

const INET = "inet";

/** For the WAN of each site that has IPv6, and for its LAN: RFC 3849. */
const WANS6 = "2001:db8:1";
const LANS6 = "2001:db8:2";

/** 198.18.0.0/15 (RFC 2544): one /24 in its lower half for the WAN of each site, one in its upper half if it is routed. */
const MAX_SITES = 254;

export class Lab implements AsyncDisposable {
  readonly #world: World;
  readonly #servers: Segment;
  #sites = 0;

  /** Brings up an Internet with nobody on it. */
  static async create(): Promise<Lab> {
    const world = await World.create();
    const plan = new Plan();
    plan.namespace(INET);
    plan.sysctl(INET, { "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 });
    const servers = new Segment(plan, INET, "servers");
    try {
      await world.script(plan.script());
    } catch (error) {
      await world.close();
      throw error;
    }
    return new Lab(world, servers);
  }

  private constructor(world: World, servers: Segment) {
    this.#world = world;
    this.#servers = servers;
  }

  /** A host with public addresses, each in a /24 or /64 of its own choice. IPv6 ones are written `prefix::host`. */
  async server(name: string, addresses: readonly [string, ...string[]]): Promise<Host> {
    const plan = new Plan();
    const host = new Host(this.#world, name, addresses);
    plan.namespace(name);
    this.#servers.plug(plan, name, "eth0", addresses);
    await this.#world.script(plan.script());
    return host;
  }

  /** A LAN with one host behind a router of that kind, or one that differs from it in `traits`. Sites may be made concurrently. */
  async site(kind: NatKindName, traits: Partial<RouterTraits> = {}): Promise<Site> {
    const plan = new Plan();
    const { name, uplink } = this.#connect(plan, "site");
    return Site.build(this.#world, plan, kind, traits, name, uplink);
  }

  /** A carrier with a NAT of that kind, and no homes behind it yet. */
  async carrier(kind: NatKindName, traits: Partial<RouterTraits> = {}): Promise<Carrier> {
    const plan = new Plan();
    const { name, uplink } = this.#connect(plan, "carrier");
    return Carrier.build(this.#world, plan, kind, traits, name, uplink);
  }

  /** Ends one command and says how it ended: SIGKILL follows where `signal` is not obeyed in time. */
  stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM", graceMs = 2_000): Promise<Exit> {
    return stop(child, signal, graceMs);
  }

  /** Ends every command and every network of the lab. May be called again. */
  close(): Promise<void> {
    return this.#world.close();
  }

  /** Room for one more router on the Internet. */
  #connect(plan: Plan, what: string): { name: string; uplink: Uplink } {
    const number = ++this.#sites;
    if (number > MAX_SITES) throw new RangeError(`a lab has room for ${MAX_SITES} sites`);
    const name = `${what}${number}`;
    const segment = new Segment(plan, INET, name);
    const ipv6 = { address: `${WANS6}:${number}::1`, routedPrefix: `${LANS6}:${number}` };
    return { name, uplink: { segment, address: `198.18.${number}.1`, routedPrefix: `198.19.${number}`, ipv6, routers: [] } };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
