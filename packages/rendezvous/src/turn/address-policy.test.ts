import { canonicalAddress, parseCidr } from "@awl/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressPolicy } from "./address-policy.js";
import { DENIED } from "./denied-addresses.test-support.js";

const PUBLIC = "8.8.4.4";

function policy(...allowed: string[]): AddressPolicy {
  return new AddressPolicy({
    relayAddresses: [PUBLIC],
    ownAddresses: ["10.1.2.3", "8.8.4.5", "127.0.0.1"],
    listening: [{ address: PUBLIC, port: 3478 }],
    allowed: allowed.map(parseCidr),
  });
}

describe("by default", () => {
  test(`${DENIED.length} addresses are denied`, () => {
    expect(DENIED.length).toBeGreaterThanOrEqual(200);
    expect(DENIED.filter((address) => policy().judge(canonicalAddress(address)) !== "denied")).toEqual([]);
  });

  test.each(["9.9.9.9", "1.1.1.1", "223.255.255.254", "2a00:1450::1", "2606:4700::1111", "2a00:1450::5efe:808:808"])(
    "%s is not",
    (address) => {
      expect(policy().judge(address)).toBe("foreign");
    },
  );

  test("of this host's own addresses only the relayed ones, and these inside only", () => {
    expect(["8.8.4.5", "10.1.2.3", PUBLIC].map((address) => policy().judge(address))).toEqual(["denied", "denied", "relayed"]);
    expect(policy().isListening({ address: PUBLIC, port: 3478 })).toBe(true);
    expect(policy().isListening({ address: PUBLIC, port: 3480 })).toBe(false);
  });
});

describe("--allow-relay-to", () => {
  test.each([
    ["10.0.0.0/8", "10.9.9.9", "foreign"],
    ["10.0.0.0/8", "192.168.0.1", "denied"],
    ["fc00::/7", "fd00::1", "foreign"],
    ["203.0.113.0/24", "203.0.113.9", "foreign"],
    // Named for itself, loopback is opened; by a range that merely includes it, not.
    ["127.0.0.0/8", "127.0.0.9", "foreign"],
    ["127.0.0.1", "127.0.0.1", "foreign"],
    ["::1", "::1", "foreign"],
    ["0.0.0.0/0", "127.0.0.9", "denied"],
    ["::/0", "::1", "denied"],
    ["::/0", "fe80::1", "denied"],
    ["0.0.0.0/0", "169.254.169.254", "denied"],
    ["169.254.0.0/16", "169.254.169.254", "foreign"],
    ["0.0.0.0/0", "10.9.9.9", "foreign"],
    // What is no host's is opened by nothing.
    ["0.0.0.0/0", "0.0.0.0", "denied"],
    ["0.0.0.0/8", "0.0.0.0", "denied"],
    ["224.0.0.0/4", "224.0.0.1", "denied"],
    ["255.255.255.255", "255.255.255.255", "denied"],
    ["::", "::", "denied"],
    ["ff00::/8", "ff02::1", "denied"],
    // Inside of IPv6, both addresses have to be open.
    ["64:ff9b::/96", "64:ff9b::808:808", "foreign"],
    ["64:ff9b::/96", "64:ff9b::7f00:1", "denied"],
    ["64:ff9b::/96", "64:ff9b::a00:1", "denied"],
    ["10.0.0.0/8", "64:ff9b::a00:1", "denied"],
    ["::/0", "2002:7f00:1::", "denied"],
    ["::/0", "::7f00:1", "denied"],
    // This host's own address only by its own name.
    ["10.0.0.0/8", "10.1.2.3", "denied"],
    ["10.1.2.3", "10.1.2.3", "foreign"],
    ["0.0.0.0/0", "8.8.4.5", "denied"],
    ["0.0.0.0/0", PUBLIC, "relayed"],
  ])("%s: %s is %s", (allowed, address, verdict) => {
    expect(policy(allowed).judge(address)).toBe(verdict);
  });

  test("both of a NAT64's ranges", () => {
    expect(policy("64:ff9b::/96", "10.0.0.0/8").judge("64:ff9b::a00:1")).toBe("foreign");
  });
});

test("whatever is opened, no address comes out as foreign that is unspecified, multicast or broadcast, however it is hidden", () => {
  const inside = fc.constantFrom("0.0.0.0", "224.0.0.251", "255.255.255.255", "239.1.2.3");
  const hidden = fc.tuple(inside, fc.constantFrom("", "::ffff:", "::ffff:0:", "64:ff9b::", "2a00:1450::5efe:"));
  const opened = fc.subarray(["0.0.0.0/0", "::/0", "64:ff9b::/96", "224.0.0.0/4", "0.0.0.0/8", "ff00::/8"]);
  fc.assert(
    fc.property(hidden, opened, ([ipv4, before], allowed) => {
      expect(policy(...allowed).judge(canonicalAddress(before + ipv4))).toBe("denied");
    }),
  );
});
