import type { Endpoint } from "@awl/wire";
import type { Filtering, Mapping } from "../behavior.js";

/** What a probe found, before it is put into words. */
export interface Evidence {
  readonly udp: "open" | "blocked";
  readonly mapping: Mapping;
  readonly filtering: Filtering;
  readonly confidence: "high" | "low";
  /** The first mapping socket's own endpoint; the address is unspecified where the host has no route. */
  readonly local: Endpoint | undefined;
  /** The public endpoints of that socket, as each server saw it. */
  readonly public: readonly { readonly mapped: Endpoint; readonly server: Endpoint }[];
  /** What kept the probe from saying more, in the order in which it was met. */
  readonly obstacles: readonly Obstacle[];
}

/**
 * - `no-behavior-server`: no server with a second address answered: filtering cannot be told.
 * - `single-server`: nor a second server: mapping cannot be told either.
 * - `server-misdirects`: a server answers from an address that it was not asked to answer from.
 * - `server-refuses`: a server refuses to answer from its other address.
 * - `alternate-dead`: the server's other address does not answer.
 * - `inconsistent`: equal tests on different sockets found different behaviour.
 * - `lossy`: so much is lost that silence proves little.
 */
export type Obstacle =
  | "no-behavior-server"
  | "single-server"
  | "server-misdirects"
  | "server-refuses"
  | "alternate-dead"
  | "inconsistent"
  | "lossy";
