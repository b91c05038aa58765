/** The boxes' set-ups fit together, whatever the kinds. Needs no engine. */
import { describe, expect, it, test } from "vitest";
import { BOXED_KINDS, type BoxName, kindsFrom, setUp } from "./box.js";
import { layersOf, type NatKindName } from "./nat.js";

const BOXES: readonly BoxName[] = ["server", "internet", "carrier-a", "carrier-b", "nat-a", "nat-b", "machine-a", "machine-b"];

interface Plug {
  readonly box: string;
  readonly id: string;
  readonly interface: string;
  readonly neighbour: string;
  readonly addresses: readonly string[];
}

describe.each(BOXED_KINDS.map((kind) => [kind]))("%s", (kind) => {
  const plugs = BOXES.flatMap((box) => plugsOf(box, kind, "cgn"));

  it("has two ends to every cable, which know each other and share their subnets", () => {
    for (const ends of cables(plugs)) {
      const [one, other] = ends;
      expect(ends.map(({ box }) => box)).toEqual([other?.neighbour, one?.neighbour]);
      expect(subnets(one)).toEqual(subnets(other));
    }
  });

  it("leads from the machine to the Internet through as many routers as it has layers", () => {
    const layers = layersOf(kind, {}).length;
    let plug = plugs.find(({ box }) => box === "machine-a");
    let routers = 0;
    for (; plug !== undefined && plug.neighbour !== "internet"; routers++) {
      const { neighbour } = plug;
      plug = plugs.find(({ box, interface: name }) => box === neighbour && name === "wan");
      expect(setUp(neighbour as BoxName, { a: kind, b: "cgn" })).toContain("rules <<");
    }
    expect(routers).toBe(layers);
  });

  it("has no address twice on one cable", () => {
    for (const ends of cables(plugs)) {
      const addresses = ends.flatMap((end) => end.addresses);
      expect(new Set(addresses).size).toBe(addresses.length);
    }
  });
});

test("a kind that there is not is refused, with the kinds that there are", () => {
  expect(kindsFrom({})).toEqual({ a: "port-restricted", b: "port-restricted" });
  expect(kindsFrom({ NAT_A: "cgn", NAT_B: "open" })).toEqual({ a: "cgn", b: "open" });
  expect(() => kindsFrom({ NAT_B: "cone" })).toThrow(/^NAT_B=cone: the kinds of NAT are .*full-cone/);
});

function plugsOf(box: BoxName, a: NatKindName, b: NatKindName): Plug[] {
  return [...setUp(box, { a, b }).matchAll(/^cable (\S+) (\S+) (\S+) (.+)$/gm)].map(
    ([, id = "", name = "", neighbour = "", addresses = ""]) => ({
      box,
      id,
      interface: name,
      neighbour,
      addresses: addresses.split(" "),
    }),
  );
}

const cables = (plugs: readonly Plug[]) => [...new Set(plugs.map(({ id }) => id))].map((id) => plugs.filter((plug) => plug.id === id));

const subnets = (plug: Plug | undefined) => plug?.addresses.map((address) => address.replace(/\.\d+\//, ".0/"));
