import { type Endpoint, sameEndpoint } from "@awl/wire";
import type { Mapping } from "../behavior.js";
import type { Desk } from "./desk.js";
import type { Exchange, SocketId } from "./exchange.js";
import type { BehaviorServer } from "./server.js";

/**
 * How the NAT maps one socket towards all four endpoints of a server. RFC 5780 section 4.3, its tests II and III at once.
 *
 * The socket must be fresh, and must not be used for anything else: an answer that arrives uninvited
 * makes some routers map the next flow differently.
 */
export class MappingTest {
  /** Set when the test has ended. */
  verdict: Mapping | undefined;
  readonly socket: SocketId;
  readonly #primary: Exchange;
  readonly #others: { readonly address: Exchange; readonly both: Exchange; readonly port: Exchange };

  /** `primary`: the exchange between this socket and `server.primary`, possibly still under way. */
  constructor(now: number, desk: Desk, server: BehaviorServer, primary: Exchange) {
    this.socket = primary.question.socket;
    this.#primary = primary;
    const ask = (to: Endpoint) => desk.ask(now, { socket: this.socket, to });
    this.#others = { address: ask(server.otherAddress), both: ask(server.other), port: ask(server.otherPort) };
  }

  advance(): void {
    const { address, both, port } = this.#others;
    if (this.verdict || [this.#primary, address, both, port].some(({ state }) => state === "waiting")) return;
    this.verdict = compareMappings(this.#primary.mapped, address.mapped, both.mapped, port.mapped);
  }

  /** The public endpoints that the server's two addresses saw. */
  get samples(): { mapped: Endpoint; server: Endpoint }[] {
    return [this.#primary, this.#others.address].flatMap(({ mapped, question }) => (mapped ? [{ mapped, server: question.to }] : []));
  }

  /** Whether the server's other endpoints answered when asked directly: else silence from there proves nothing. */
  get proves(): { readonly other: boolean; readonly otherPort: boolean } {
    return { other: this.#others.both.state === "answered", otherPort: this.#others.port.state === "answered" };
  }
}

/** The public endpoints towards the server's primary, other address, other address and port, other port; `undefined`: no answer. */
function compareMappings(
  primary: Endpoint | undefined,
  toAddress: Endpoint | undefined,
  toBoth: Endpoint | undefined,
  toPort: Endpoint | undefined,
): Mapping {
  if (!primary || !toAddress) return "unknown";
  const portMatters = !agree(primary, toPort) || !agree(toAddress, toBoth);
  if (sameEndpoint(primary, toAddress)) return portMatters ? "address-and-port-dependent" : "endpoint-independent";
  if (portMatters) return "address-and-port-dependent";
  return toBoth || toPort ? "address-dependent" : "unknown";
}

/** An endpoint that nobody answered from contradicts nothing. */
function agree(a: Endpoint, b: Endpoint | undefined): boolean {
  return !b || sameEndpoint(a, b);
}
