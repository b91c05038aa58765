import { expect, test } from "vitest";
import { PUBLIC_SERVERS, parseTarget } from "./target.js";

test.each([
  ["stun.example.org", "stun.example.org", 3478],
  ["stun.example.org:19302", "stun.example.org", 19302],
  ["stun:stun.example.org:5349", "stun.example.org", 5349],
  ["203.0.113.1", "203.0.113.1", 3478],
  ["[2001:db8::1]:99", "2001:db8::1", 99],
  ["2001:db8::1", "2001:db8::1", 3478],
  ["ws://rv.example.org:4000/", "rv.example.org", 4000],
  ["wss://rv.example.org", "rv.example.org", 3478],
])("%s is a server", (text, host, port) => {
  expect(parseTarget(text)).toEqual({ host, port });
});

test.each(["", "stun:", "host:0", "host:65536", "host:x", "http://host", "ws://host/path", "a b", "[::1", "turn:host"])(
  "'%s' is none",
  (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: "usage", message: expect.stringContaining("not a server") }));
  },
);

test("the built-in servers can be read", () => {
  expect(PUBLIC_SERVERS.map(parseTarget)).toHaveLength(PUBLIC_SERVERS.length);
});
