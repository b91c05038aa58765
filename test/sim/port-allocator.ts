import type { Endpoint } from "@awl/wire";
import type { Translation } from "../grid/nat-kinds.js";
import { keyOf } from "./network.js";
import type { Random } from "./random.js";

/** RFC 6335 section 6: the ports that no system service has. */
const PORTS = { first: 1_024, last: 65_535 } as const;

/** Chooses the external endpoints of a NAT. RFC 4787 sections 4.1 and 4.2. */
export class PortAllocator {
  readonly #nat: Translation;
  readonly #addresses: readonly string[];
  readonly #random: Random;
  readonly #isTaken: (key: string) => boolean;
  #next: number;

  /** `addresses`: the pool. `isTaken`: whether {@link keyOf} an external endpoint is in use. */
  constructor(nat: Translation, addresses: readonly string[], random: Random, isTaken: (key: string) => boolean) {
    this.#nat = nat;
    this.#addresses = addresses;
    this.#random = random;
    this.#isTaken = isTaken;
    this.#next = this.#randomPort();
  }

  allocate(inside: Endpoint): Endpoint {
    const address = this.#address();
    const { allocation, overloads = false } = this.#nat;
    const kept = { address, port: inside.port };
    if (allocation === "preserving" && (overloads || !this.#isTaken(keyOf(kept)))) return kept;
    return allocation === "sequential" ? this.#freeOf(address, () => this.#count()) : this.another(address);
  }

  /** A random endpoint that is free. */
  another(address = this.#address()): Endpoint {
    return this.#freeOf(address, () => this.#randomPort());
  }

  #freeOf(address: string, draw: () => number): Endpoint {
    for (;;) {
      const endpoint = { address, port: draw() };
      if (!this.#isTaken(keyOf(endpoint))) return endpoint;
    }
  }

  #address(): string {
    return this.#addresses.length === 1 ? (this.#addresses[0] as string) : this.#random.pick(this.#addresses);
  }

  #randomPort(): number {
    return PORTS.first + this.#random.below(PORTS.last - PORTS.first + 1);
  }

  #count(): number {
    const port = this.#next;
    this.#next = port === PORTS.last ? PORTS.first : port + 1;
    return port;
  }
}
