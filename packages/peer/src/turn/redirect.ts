import { AlternateDomain, AlternateServer, classifyAddress, type Endpoint, type StunMessage } from "@awl/wire";
import type { AlternateServer as Alternate } from "./turn-io.js";

/**
 * Where a 300 sends us (RFC 8489 section 10), if it may: to a public address, or to one of the same kind as that of the server that
 * says so. A relay out there must not lead us into our own networks, nor to ourselves.
 */
export function alternateOf(server: Endpoint, answer: StunMessage): Alternate | undefined {
  const endpoint = answer.get(AlternateServer);
  if (!endpoint || endpoint.port === 0) return undefined;
  const kind = classifyAddress(endpoint.address);
  if (kind !== "global" && kind !== classifyAddress(server.address)) return undefined;
  const domain = answer.get(AlternateDomain);
  return domain === undefined || domain === "" ? { endpoint } : { endpoint, domain };
}
