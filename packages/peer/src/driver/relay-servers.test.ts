import { expect, test } from "vitest";
import { parseRelayUri, type RelayUri } from "../turn/relay-uri.js";
import { relayServers } from "./relay-servers.js";

const ADA = { username: "ada", password: "lovelace" };

test.each([
  ["turn:192.0.2.1", ["udp 192.0.2.1 3478", "tcp 192.0.2.1 3478"]],
  ["turn:[2001:DB8:0::1]:4000?transport=udp", ["udp 2001:db8::1 4000"]],
  ["turns:192.0.2.1:443", ["tls 192.0.2.1 443"]],
])("%s", async (uri, ways) => {
  const servers = await relayServers(parseRelayUri(uri) as RelayUri, ADA);
  expect(servers.map(({ transport, endpoint }) => `${transport} ${endpoint.address} ${endpoint.port}`)).toEqual(ways);
  expect(servers.every(({ credentials }) => credentials === ADA)).toBe(true);
});
