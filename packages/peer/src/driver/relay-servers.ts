import { lookup } from "node:dns/promises";
import { canonicalAddress } from "@awl/wire";
import type { RelayServer } from "../turn/relay-search-io.js";
import type { RelayUri } from "../turn/relay-uri.js";
import type { TurnCredentials } from "../turn/turn-io.js";

/** A name with many addresses stands for one service: the first few do. */
const ADDRESSES_PER_NAME = 2;

/** All ways to the server that a URI names, for a search; none where the name does not resolve. */
export async function relayServers(uri: RelayUri, credentials: TurnCredentials): Promise<RelayServer[]> {
  const { host, port, transports } = uri;
  const found = await lookup(host, { all: true }).catch(() => []);
  const endpoints = found.slice(0, ADDRESSES_PER_NAME).map(({ address }) => ({ address: canonicalAddress(address), port }));
  return endpoints.flatMap((endpoint) => transports.map((transport) => ({ transport, endpoint, host, credentials })));
}
