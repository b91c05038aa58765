import type { Clock } from "./clock.js";
import { Line, type LineConditions, PERFECT } from "./line.js";
import type { Network, Packet, Receive } from "./network.js";
import type { Random } from "./random.js";

/** Both directions of what joins a site or a server to the Internet. */
export interface Access {
  readonly up: Line;
  readonly down: Line;
}

/** The network of public addresses. It is one hop, and its ends are joined to it by lines of their own. */
export class Internet {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ends = new Map<string, { readonly receive: Receive; readonly down: Line }>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A new line to it. What is plugged into the network that it leads to has public addresses. */
  join(conditions: LineConditions = PERFECT): { access: Access; network: Network } {
    const line = () => new Line(this.#clock, this.#random.fork(), conditions);
    const access = { up: line(), down: line() };
    const network: Network = {
      plug: (address, receive) => void this.#ends.set(address, { receive, down: access.down }),
      send: (packet) => access.up.carry(() => this.#pass(packet)),
    };
    return { access, network };
  }

  #pass(packet: Packet): void {
    const end = this.#ends.get(packet.to.address);
    if (packet.ttl <= 1 || end === undefined) return;
    end.down.carry(() => end.receive({ ...packet, ttl: packet.ttl - 1 }));
  }
}
