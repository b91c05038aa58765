import { describe, expect, test } from "vitest";
import { type ExternalIp, servedAddresses } from "./served-addresses.js";

/** Each address with its alternate, as text: `a>b`, or `a` where there is none; a public address stands in brackets. */
function serve(hosts: readonly string[], altHost?: string, externalIps: readonly ExternalIp[] = [], hostAddresses: readonly string[] = []) {
  const served = servedAddresses(hosts, altHost, externalIps, hostAddresses);
  return served.map(({ address, publicAddress, alternate }) => {
    const mapped = publicAddress === address ? "" : `(${publicAddress})`;
    return `${address}${mapped}${alternate === undefined ? "" : `>${served[alternate]?.address}`}`;
  });
}

const discover = (hostAddresses: readonly string[], altHost?: string, externalIps?: readonly ExternalIp[]) =>
  serve([], altHost, externalIps, hostAddresses);

describe("named hosts", () => {
  test("one has no alternate", () => expect(serve(["127.0.0.1"])).toEqual(["127.0.0.1"]));
  test("two of a family are each other's", () =>
    expect(serve(["10.0.0.1", "10.0.0.2"])).toEqual(["10.0.0.1>10.0.0.2", "10.0.0.2>10.0.0.1"]));
  test("a third has the first", () => expect(serve(["10.0.0.1", "10.0.0.2", "10.0.0.3"])[2]).toBe("10.0.0.3>10.0.0.1"));
  test("families pair up by themselves", () =>
    expect(serve(["10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2"])).toEqual([
      "10.0.0.1>10.0.0.2",
      "fd00::1>fd00::2",
      "10.0.0.2>10.0.0.1",
      "fd00::2>fd00::1",
    ]));
  test("spelling does not matter, and twice is once", () =>
    expect(serve(["FD00:0::1", "fd00::1", "::ffff:10.0.0.1"])).toEqual(["fd00::1", "10.0.0.1"]));
  test("--alt-host is the other address", () =>
    expect(serve(["10.0.0.1"], "10.0.0.2")).toEqual(["10.0.0.1>10.0.0.2", "10.0.0.2>10.0.0.1"]));
  test("--alt-host goes before the order of --host", () =>
    expect(serve(["10.0.0.1", "10.0.0.2", "10.0.0.3"], "10.0.0.3")).toEqual([
      "10.0.0.1>10.0.0.3",
      "10.0.0.2>10.0.0.1",
      "10.0.0.3>10.0.0.1",
    ]));
});

describe("discovered addresses", () => {
  test("the most widely reachable stands first, and link-local IPv6 is left out", () =>
    expect(discover(["::1", "127.0.0.1", "fe80::1", "10.0.0.1", "2606:4700::1", "1.1.1.1"])).toEqual([
      "1.1.1.1",
      "2606:4700::1",
      "10.0.0.1",
      "127.0.0.1",
      "::1",
    ]));
  test("global ones pair up", () => expect(discover(["1.1.1.1", "1.0.0.1"])).toEqual(["1.1.1.1>1.0.0.1", "1.0.0.1>1.1.1.1"]));
  test("others do not: who reaches one may not reach the other", () =>
    expect(discover(["1.1.1.1", "10.0.0.1", "10.0.0.2", "127.0.0.1"])).toEqual(["1.1.1.1", "10.0.0.1", "10.0.0.2", "127.0.0.1"]));
  test("private ones with public addresses do", () =>
    expect(
      discover(["10.0.0.1", "10.0.0.2", "127.0.0.1"], undefined, [
        { publicAddress: "1.1.1.1", localAddress: "10.0.0.1" },
        { publicAddress: "1.0.0.1", localAddress: "10.0.0.2" },
      ]),
    ).toEqual(["10.0.0.1(1.1.1.1)>10.0.0.2", "10.0.0.2(1.0.0.1)>10.0.0.1", "127.0.0.1"]));
  test("--alt-host pairs with one of its own class", () =>
    expect(discover(["1.1.1.1", "1.0.0.1", "127.0.0.1"], "127.0.0.2")).toEqual([
      "1.1.1.1",
      "1.0.0.1",
      "127.0.0.1>127.0.0.2",
      "127.0.0.2>127.0.0.1",
    ]));
});

describe("--external-ip", () => {
  test("names no local address where there is only one, loopback not counted", () =>
    expect(discover(["10.0.0.1", "127.0.0.1", "fd00::1"], undefined, [{ publicAddress: "1.1.1.1" }])).toContain("10.0.0.1(1.1.1.1)"));
  test("loopback counts where there is nothing else", () =>
    expect(serve(["127.0.0.1"], undefined, [{ publicAddress: "1.1.1.1" }])).toEqual(["127.0.0.1(1.1.1.1)"]));
});

describe("what is refused", () => {
  const WRONG: readonly (readonly [string, () => unknown, string])[] = [
    ["a name", () => serve(["localhost"]), "--host takes an IP address, not 'localhost'"],
    ["nothing", () => serve([""]), "--host takes an IP address, not ''"],
    ["every IPv4 address", () => serve(["0.0.0.0"]), "leave --host out to serve all"],
    ["every IPv6 address", () => serve(["::"]), "leave --host out to serve all"],
    ["every IPv4 address in IPv6", () => serve(["::ffff:0.0.0.0"]), "leave --host out to serve all"],
    ["multicast", () => serve(["224.0.0.1"]), "--host 224.0.0.1 is a multicast address"],
    ["broadcast", () => serve(["255.255.255.255"]), "--host 255.255.255.255 is a broadcast address"],
    ["link-local", () => serve(["fe80::1%eth0"]), "--host fe80::1 is link-local: clients elsewhere cannot reach it"],
    ["a host without addresses", () => discover(["fe80::1"]), "this host has no address to serve: name one with --host"],
    ["an alternate of itself", () => serve(["10.0.0.1"], "10.0.0.1"), "--alt-host 10.0.0.1 needs another address of its family"],
    ["an alternate of another family", () => serve(["10.0.0.1"], "fd00::1"), "--alt-host fd00::1 needs another address of its family"],
    ["an alternate that is no address", () => serve(["10.0.0.1"], "x"), "--alt-host takes an IP address, not 'x'"],
    [
      "a public address of nobody",
      () => serve(["10.0.0.1"], undefined, [{ publicAddress: "1.1.1.1", localAddress: "10.0.0.2" }]),
      "not an address that is served",
    ],
    [
      "a public address of two",
      () => serve(["10.0.0.1", "10.0.0.2"], undefined, [{ publicAddress: "1.1.1.1" }]),
      "--external-ip 1.1.1.1 needs its /LOCAL: 2 addresses of its family",
    ],
    [
      "a public address of the other family",
      () => serve(["10.0.0.1"], undefined, [{ publicAddress: "2606:4700::1" }]),
      "needs its /LOCAL: no address of its family",
    ],
    [
      "families mixed",
      () => serve(["10.0.0.1"], undefined, [{ publicAddress: "2606:4700::1", localAddress: "10.0.0.1" }]),
      "are of different families",
    ],
    [
      "two public addresses of one",
      () => serve(["10.0.0.1"], undefined, [{ publicAddress: "1.1.1.1" }, { publicAddress: "1.0.0.1" }]),
      "--external-ip gives 10.0.0.1 two public addresses",
    ],
    [
      "one public address of a pair",
      () =>
        serve(["10.0.0.1", "10.0.0.2"], undefined, [
          { publicAddress: "1.1.1.1", localAddress: "10.0.0.1" },
          { publicAddress: "1.1.1.1", localAddress: "10.0.0.2" },
        ]),
      "one public address",
    ],
    ["a public address that is none", () => serve(["10.0.0.1"], undefined, [{ publicAddress: "0.0.0.0" }]), "--external-ip 0.0.0.0"],
  ];

  test.each(WRONG)("%s", (_what, attempt, message) => {
    expect(attempt).toThrow(expect.objectContaining({ code: "bad-option", message: expect.stringContaining(message) }));
  });
});
