import { type Endpoint, sameEndpoint } from "@awl/wire";
import type { Mapping } from "../behavior.js";
import type { Obstacle } from "./evidence.js";
import type { Exchange, SocketId } from "./exchange.js";

export interface PlainResult {
  readonly mapping: Mapping;
  /** The socket that `public` shows the outside of. */
  readonly socket: SocketId;
  readonly public: readonly { readonly mapped: Endpoint; readonly server: Endpoint }[];
  readonly obstacles: readonly Obstacle[];
}

/** What can be told from answers of servers that have no second address: mapping, where there are two servers; filtering never. */
export function plainMapping(answered: readonly Exchange[]): PlainResult {
  const socket = answered[0]?.question.socket ?? 0;
  const samples = answered.flatMap(({ question, mapped }) =>
    mapped && question.socket === socket ? [{ mapped, server: question.to }] : [],
  );
  const [first] = samples;
  if (!first || samples.every(({ server }) => server.address === first.server.address)) {
    return { mapping: "unknown", socket, public: samples, obstacles: ["single-server", "no-behavior-server"] };
  }
  // Which kind of dependence it is, only a server with two ports on one address could tell: said is the more common one.
  const mapping = samples.every(({ mapped }) => sameEndpoint(mapped, first.mapped)) ? "endpoint-independent" : "address-and-port-dependent";
  return { mapping, socket, public: samples, obstacles: ["no-behavior-server"] };
}
