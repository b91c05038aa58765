import { describe, expect, test } from "vitest";
import { type Arguments, parseArguments } from "./arguments.js";

const parse = (args: Partial<Arguments>) => parseArguments({ relay: true, ...args });

describe("parseArguments", () => {
  test("nothing", () => expect(Object.values(parse({})).every((value) => value === undefined)).toBe(true));
  test("no relay", () => expect(parse({ relay: false }).relay).toBe(false));
  test("a relay", () =>
    expect(
      parse({ relayPorts: "5000-5000", turnSecret: ["new", "old"], allowRelayTo: ["10.0.0.0/8"], tlsCert: "c.pem", tlsKey: "k.pem" }),
    ).toMatchObject({
      relayPorts: { low: 5000, high: 5000 },
      turnSecrets: ["new", "old"],
      allowRelayTo: ["10.0.0.0/8"],
      tls: { certFile: "c.pem", keyFile: "k.pem" },
    }));
  test("everything that is built", () =>
    expect(parse({ host: ["a", "b"], port: "0", altPort: "65535", altHost: "c", externalIp: ["1.1.1.1", "1.0.0.1/10.0.0.1"] })).toEqual({
      hosts: ["a", "b"],
      port: 0,
      altPort: 65_535,
      altHost: "c",
      externalIps: [{ publicAddress: "1.1.1.1" }, { publicAddress: "1.0.0.1", localAddress: "10.0.0.1" }],
    }));
});

const NOT_BUILT: readonly (readonly [Partial<Arguments>, string])[] = [
  [{ turn: ["turn:turn.example.org"] }, "--turn"],
  [{ turn: ["turn:192.0.2.1:3478?weight=3", "turns:[2001:db8::1]:5349?transport=tcp&weight=1"] }, "--turn"],
  [{ token: "t" }, "--token"],
  [{ nats: "nats://127.0.0.1:4222" }, "--nats"],
];

test.each(NOT_BUILT)("%j is not built yet", (args, option) => {
  expect(() => parse(args)).toThrow(expect.objectContaining({ code: "not-built", message: `${option} is not built yet` }));
});

const WRONG: readonly (readonly [Partial<Arguments>, string])[] = [
  [{ port: "http" }, "--port takes a port from 0 to 65535, not 'http'"],
  [{ port: "" }, "--port takes a port from 0 to 65535, not ''"],
  [{ altPort: "-1" }, "--alt-port takes a port from 0 to 65535, not '-1'"],
  [{ altPort: "1e3" }, "--alt-port takes a port from 0 to 65535, not '1e3'"],
  [{ externalIp: ["1.1.1.1/10.0.0.1/x"] }, "--external-ip takes PUB or PUB/LOCAL, not '1.1.1.1/10.0.0.1/x'"],
  [{ relayPorts: "5000" }, "--relay-ports takes a range such as 49152-65535, not '5000'"],
  [{ relayPorts: "6000-5000" }, "--relay-ports takes a range such as 49152-65535, not '6000-5000'"],
  [{ relayPorts: "0-5000" }, "--relay-ports takes a range such as 49152-65535, not '0-5000'"],
  [{ relayPorts: "1-65536" }, "--relay-ports takes a range such as 49152-65535, not '1-65536'"],
  [{ turn: ["example.org"] }, "--turn takes turn:HOST[:PORT]"],
  [{ turn: ["turn:"] }, "--turn takes turn:HOST[:PORT]"],
  [{ turn: ["turn:a:0"] }, "--turn takes turn:HOST[:PORT]"],
  [{ turn: ["turn:a:70000"] }, "--turn takes turn:HOST[:PORT]"],
  [{ turn: ["turn:a?weight=0"] }, "--turn takes turn:HOST[:PORT]"],
  [{ turn: ["turn:a?weight=1&weight=2"] }, "--turn takes turn:HOST[:PORT]"],
  [{ turn: ["turn:a?transport=sctp"] }, "--turn takes turn:HOST[:PORT]"],
  [{ turnSecret: ["s", ""] }, "--turn-secret must not be empty"],
  [{ token: "" }, "--token must not be empty"],
  [{ tlsCert: "", tlsKey: "k" }, "--tls-cert must not be empty"],
  [{ tlsCert: "c" }, "--tls-cert and --tls-key need each other"],
  [{ tlsKey: "k" }, "--tls-cert and --tls-key need each other"],
  [{ nats: "http://x" }, "--nats takes a nats:// or tls:// URL, not 'http://x'"],
  [{ nats: "x" }, "--nats takes a nats:// or tls:// URL, not 'x'"],
  [{ relay: false, relayPorts: "1-2" }, "--no-relay contradicts --relay-ports"],
  [{ relay: false, allowRelayTo: ["10.0.0.0/8"] }, "--no-relay contradicts --allow-relay-to"],
];

test.each(WRONG)("%j is refused", (args, message) => {
  expect(() => parse(args)).toThrow(expect.objectContaining({ code: "bad-option", message: expect.stringContaining(message) }));
});
