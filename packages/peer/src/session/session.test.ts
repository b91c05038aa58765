import { describe, expect, test } from "vitest";
import { Duo, type DuoOptions } from "./duo.test-support.js";
import type { NatBox } from "./network.test-support.js";

const EI = "endpoint-independent";
const AD = "address-dependent";
const APD = "address-and-port-dependent";

const FULL: NatBox = { mapping: EI, filtering: EI };
const ADDRESS: NatBox = { mapping: EI, filtering: AD };
const PORT: NatBox = { mapping: EI, filtering: APD };
const SYMMETRIC: NatBox = { mapping: APD, filtering: APD };
const MASQUERADE: NatBox = { mapping: EI, filtering: APD, preserving: true, inboundFirstRemaps: true };

const KINDS: Record<string, readonly NatBox[]> = {
  open: [],
  full: [FULL],
  address: [ADDRESS],
  port: [PORT],
  masquerade: [MASQUERADE],
  symmetric: [SYMMETRIC],
  "carrier's": [PORT, PORT],
};

const NAMES = Object.keys(KINDS);

/** Pairs whose ports nobody can know without prediction. */
function isHopeless(a: string, b: string): boolean {
  const filtersPorts = (name: string) => ["port", "masquerade", "symmetric", "carrier's"].includes(name);
  return (a === "symmetric" && filtersPorts(b)) || (b === "symmetric" && filtersPorts(a));
}

const duo = (listener: string, connector: string, rest: Partial<DuoOptions> = {}) =>
  new Duo({ listener: KINDS[listener] ?? [], connector: KINDS[connector] ?? [], ...rest });

describe.each(NAMES)("listener behind %s", (listener) => {
  test.each(NAMES)("connector behind %s", (connector) => {
    for (const skewMs of [0, 30, 500, 2_000]) {
      for (let seed = 0; seed < 5; seed++) {
        const pair = duo(listener, connector, { skewMs, seed });
        const paths = pair.connect();
        if (isHopeless(listener, connector)) {
          expect(pair.connector.closed, `seed ${seed}`).toMatchObject({ code: "no-path" });
          expect(pair.sides.flatMap(({ events }) => events)).toContainEqual(expect.objectContaining({ event: "reason", path: "none" }));
        } else {
          expect(paths, `skew ${skewMs} seed ${seed}`).toMatchObject({ listener: { kind: "direct" }, connector: { kind: "direct" } });
        }
      }
    }
  });
});
