import type { Endpoint } from "@awl/wire";
import type { RouterBehaviour } from "../grid/nat-kinds.js";
import type { Clock } from "./clock.js";
import { keyOf } from "./network.js";
import { PortAllocator } from "./port-allocator.js";
import type { Random } from "./random.js";

/** One inside endpoint, as some remote endpoints see it: all of them, those of one address, or one. */
interface Mapping {
  readonly key: string;
  readonly inside: Endpoint;
  readonly external: Endpoint;
  usedAt: number;
  /** When whoever may come in was last sent to, by what the filter looks at. */
  readonly permits: Map<string, number>;
}

/** What a router remembers of the flows through it: mappings, filters and their timers. RFC 4787 sections 4 and 5. */
export class FlowTable {
  readonly #clock: Clock;
  readonly #behaviour: RouterBehaviour;
  readonly #lifetimeMs: number;
  readonly #ports: PortAllocator | undefined;
  readonly #byInside = new Map<string, Mapping>();
  readonly #byExternal = new Map<string, Mapping>();
  /** Where ports are overloaded, whose the packets of a remote endpoint are. */
  readonly #byFlow = new Map<string, Mapping>();
  /** When somebody outside last sent what nothing asked for to an external endpoint, where that is remembered. */
  readonly #confirmed = new Map<string, number>();

  constructor(clock: Clock, random: Random, addresses: readonly string[], behaviour: RouterBehaviour) {
    this.#clock = clock;
    this.#behaviour = behaviour;
    this.#lifetimeMs = 1_000 * behaviour.lifetimeSeconds;
    this.#ports = behaviour.nat ? new PortAllocator(behaviour.nat, addresses, random, (key) => this.#isTaken(key)) : undefined;
  }

  /** A packet goes out: as whom. */
  outbound(inside: Endpoint, remote: Endpoint): Endpoint {
    const mapping = this.#remapped(inside, remote) ?? this.#mappingOf(inside, remote);
    mapping.usedAt = this.#clock.now;
    mapping.permits.set(this.#permitKey(remote), this.#clock.now);
    if (this.#behaviour.nat?.overloads) this.#byFlow.set(flowKey(mapping.external, remote), mapping);
    return mapping.external;
  }

  /** A packet comes in: for whom; `undefined`: nobody. */
  inbound(external: Endpoint, remote: Endpoint): Endpoint | undefined {
    const { nat, filtering, unsolicited, refresh } = this.#behaviour;
    // Nothing is translated and nothing filtered.
    if (nat === null && filtering === "endpoint-independent") return external;
    const mapping = this.#living(this.#byFlow.get(flowKey(external, remote)) ?? this.#byExternal.get(keyOf(external)));
    const permit = this.#permitKey(remote);
    if (!mapping || !this.#admits(mapping, permit)) {
      if (unsolicited === "confirm") this.#confirmed.set(flowKey(external, remote), this.#clock.now);
      return undefined;
    }
    if (refresh === "both") {
      mapping.usedAt = this.#clock.now;
      if (mapping.permits.has(permit)) mapping.permits.set(permit, this.#clock.now);
    }
    return mapping.inside;
  }

  clear(): void {
    for (const table of [this.#byInside, this.#byExternal, this.#byFlow, this.#confirmed]) table.clear();
  }

  #admits({ permits }: Mapping, permit: string): boolean {
    return this.#behaviour.filtering === "endpoint-independent" || this.#isFresh(permits.get(permit));
  }

  #mappingOf(inside: Endpoint, remote: Endpoint): Mapping {
    const key = this.#mappingKey(inside, remote);
    const known = this.#living(this.#byInside.get(key));
    return known ?? this.#add(key, inside, this.#ports?.allocate(inside) ?? inside);
  }

  /**
   * Linux keeps an entry for a packet that nothing asked for and that nothing dropped. Our own flow to its sender, if it is new,
   * finds that entry in its way and gets another port; flows to others keep theirs.
   */
  #remapped(inside: Endpoint, remote: Endpoint): Mapping | undefined {
    if (this.#behaviour.unsolicited !== "confirm" || !this.#ports) return undefined;
    const key = flowKey(inside, remote);
    const known = this.#living(this.#byInside.get(key));
    if (known) return known;
    const usual = this.#mappingOf(inside, remote);
    if (this.#isFresh(usual.permits.get(this.#permitKey(remote)))) return undefined;
    if (!this.#isFresh(this.#confirmed.get(flowKey(usual.external, remote)))) return undefined;
    return this.#add(key, inside, this.#ports.another(usual.external.address));
  }

  #add(key: string, inside: Endpoint, external: Endpoint): Mapping {
    const mapping = { key, inside, external, usedAt: this.#clock.now, permits: new Map() };
    this.#byInside.set(key, mapping);
    this.#byExternal.set(keyOf(external), mapping);
    return mapping;
  }

  #living(mapping: Mapping | undefined): Mapping | undefined {
    if (!mapping || this.#isFresh(mapping.usedAt)) return mapping;
    this.#byInside.delete(mapping.key);
    if (this.#byExternal.get(keyOf(mapping.external)) === mapping) this.#byExternal.delete(keyOf(mapping.external));
    return undefined;
  }

  #isTaken(external: string): boolean {
    return this.#living(this.#byExternal.get(external)) !== undefined;
  }

  #isFresh(usedAt: number | undefined): boolean {
    return usedAt !== undefined && this.#clock.now - usedAt <= this.#lifetimeMs;
  }

  #mappingKey(inside: Endpoint, remote: Endpoint): string {
    switch (this.#behaviour.nat?.mapping) {
      case "address-dependent":
        return `${keyOf(inside)} ${remote.address}`;
      case "address-and-port-dependent":
        return flowKey(inside, remote);
      default:
        return keyOf(inside);
    }
  }

  #permitKey(remote: Endpoint): string {
    return this.#behaviour.filtering === "address-and-port-dependent" ? keyOf(remote) : remote.address;
  }
}

function flowKey(near: Endpoint, remote: Endpoint): string {
  return `${near.address} ${near.port} ${remote.address} ${remote.port}`;
}
