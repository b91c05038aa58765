import { describe, expect, test } from "vitest";
import { fullOptions, type RendezvousOptions } from "./options.js";
import { DEFAULT_SIGNAL_LIMITS } from "./signal/limits.js";
import { DEFAULT_REFLECTION_LIMITS } from "./stun/rate-limit.js";
import { DEFAULT_TURN_LIMITS } from "./turn/limits.js";

const HOST_ADDRESSES = ["127.0.0.1", "192.0.2.2"];

describe("fullOptions", () => {
  test("defaults", () => {
    expect(fullOptions({}, ["192.0.2.2"])).toEqual({
      addresses: [{ address: "192.0.2.2", publicAddress: "192.0.2.2", alternate: undefined }],
      port: 3478,
      altPort: 3479,
      reflectionLimits: DEFAULT_REFLECTION_LIMITS,
      signalLimits: DEFAULT_SIGNAL_LIMITS,
      pingMs: 20_000,
      relay: { ports: { low: 49_152, high: 65_535 }, secrets: [], allowed: [], limits: DEFAULT_TURN_LIMITS },
      tls: undefined,
    });
  });

  test("what is given stands", () => {
    const { port, altPort, reflectionLimits } = fullOptions({ port: 1, altPort: 2, reflectionLimits: { prefixRate: 7 } }, HOST_ADDRESSES);
    expect([port, altPort]).toEqual([1, 2]);
    expect(reflectionLimits).toEqual({ ...DEFAULT_REFLECTION_LIMITS, prefixRate: 7 });
  });

  test("no relay", () => expect(fullOptions({ relay: false }, HOST_ADDRESSES).relay).toBeUndefined());

  test("both ports may be any", () => {
    expect(fullOptions({ port: 0, altPort: 0 }, HOST_ADDRESSES)).toMatchObject({ port: 0, altPort: 0 });
  });

  const WRONG: readonly (readonly [RendezvousOptions, string])[] = [
    [{ port: 65_536 }, "--port takes a port from 0 to 65535, not 65536"],
    [{ altPort: -1 }, "--alt-port takes a port from 0 to 65535, not -1"],
    [{ port: 3479 }, "--alt-port must differ from --port: both are 3479"],
    [{ hosts: ["0.0.0.0"] }, "--host 0.0.0.0: each address is bound by itself"],
    [{ reflectionLimits: { globalRate: 0 } }, "reflectionLimits.globalRate must be above 0, not 0"],
    [{ signalLimits: { clients: 0 } }, "signalLimits.clients must be above 0, not 0"],
    [{ relayPorts: { low: 2, high: 1 } }, "--relay-ports takes a range such as 49152-65535, not '2-1'"],
    [{ relayPorts: { low: 0, high: 1 } }, "--relay-ports takes a range such as 49152-65535, not '0-1'"],
    [{ turnSecrets: ["a", ""] }, "--turn-secret must not be empty"],
    [{ turnLimits: { users: 0 } }, "turnLimits.users must be above 0, not 0"],
    [{ allowRelayTo: ["10.0.0.1/8"] }, "--allow-relay-to: address bits set behind the prefix length: 10.0.0.1/8"],
    [{ allowRelayTo: ["x"] }, "--allow-relay-to: not a block of addresses: x"],
    [{ pingMs: -1 }, "pingMs must be above 0, not -1"],
    [{ reflectionLimits: { prefixBurst: Number.NaN } }, "reflectionLimits.prefixBurst must be above 0, not NaN"],
  ];

  test.each(WRONG)("%j", (options, message) => {
    const error = expect.objectContaining({ name: "RendezvousError", code: "bad-option", message: expect.stringContaining(message) });
    expect(() => fullOptions(options, HOST_ADDRESSES)).toThrow(error);
  });
});
