import { expect, test } from "vitest";
import { parseRelayUri } from "./relay-uri.js";

test.each([
  ["turn:relay.example.org", { host: "relay.example.org", port: 3478, transports: ["udp", "tcp"] }],
  ["turn:192.0.2.1:4000", { host: "192.0.2.1", port: 4000, transports: ["udp", "tcp"] }],
  ["TURN:relay.example.org?transport=UDP", { host: "relay.example.org", port: 3478, transports: ["udp"] }],
  ["turn:[2001:db8::1]:4000?transport=tcp", { host: "2001:db8::1", port: 4000, transports: ["tcp"] }],
  ["turns:relay.example.org", { host: "relay.example.org", port: 5349, transports: ["tls"] }],
  ["turns:relay.example.org:443?transport=tcp", { host: "relay.example.org", port: 443, transports: ["tls"] }],
])("%s", (text, uri) => expect(parseRelayUri(text)).toEqual(uri));

test.each([
  "",
  "turn:",
  "stun:relay.example.org",
  "turn://relay.example.org",
  "turn:relay.example.org?transport=sctp",
  "turns:relay.example.org?transport=udp",
  "turn:relay.example.org?transport=udp&x=1",
  "turn:relay.example.org:0",
  "turn:relay.example.org:65536",
  "turn:2001:db8::1",
  "turn:user@relay.example.org:1:2",
  "turn:relay.example.org/path",
  " turn:relay.example.org",
])("%j is no relay of ours", (text) => expect(parseRelayUri(text)).toBeUndefined());
