import { parseEndpoint } from "@awl/wire";
import { expect, test } from "vitest";
import { behaviorServer } from "./server.js";

const primary = parseEndpoint("8.8.8.8:3478");

test("OTHER-ADDRESS gives the four endpoints of RFC 5780", () => {
  expect(behaviorServer(primary, parseEndpoint("9.9.9.9:3479"))).toEqual({
    primary,
    otherPort: parseEndpoint("8.8.8.8:3479"),
    otherAddress: parseEndpoint("9.9.9.9:3478"),
    other: parseEndpoint("9.9.9.9:3479"),
  });
});

test.each([
  ["the server itself", "8.8.8.8:3478"],
  ["another port only", "8.8.8.8:3479"],
  ["another address only", "9.9.9.9:3478"],
  ["a private address behind a public one", "192.168.0.7:3479"],
  ["a carrier's address", "100.64.0.1:3479"],
  ["loopback", "127.0.0.1:3479"],
  ["loopback in IPv6 clothes", "[::ffff:127.0.0.1]:3479"],
  ["multicast", "224.0.0.1:3479"],
  ["nothing", "0.0.0.0:3479"],
  ["port 0", "9.9.9.9:0"],
  ["another family", "[2606:4700::1]:3479"],
])("OTHER-ADDRESS is not used when it names %s", (_what, other) => {
  expect(behaviorServer(primary, parseEndpoint(other))).toBeUndefined();
});

test("a server in private space may have its second address there", () => {
  expect(behaviorServer(parseEndpoint("10.0.0.1:3478"), parseEndpoint("10.0.0.2:3479"))).toBeDefined();
});
