import fc from "fast-check";
import { expect, test } from "vitest";
import { RangeSet } from "./range-set.js";

const range = fc.tuple(fc.nat(60), fc.nat(12)).map(([start, length]) => [start, start + length] as const);
const change = fc.record({ add: fc.boolean(), range });

function edgesOf(set: Set<number>): number[] {
  const edges: number[] = [];
  for (let i = -1; i <= 80; i++) if (set.has(i) !== set.has(i + 1)) edges.push(i + 1);
  return edges;
}

test("agrees with a set of integers", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), range, (changes, asked) => {
      const ranges = new RangeSet();
      const model = new Set<number>();
      for (const { add, range } of changes) {
        const [start, end] = range;
        if (add) ranges.add(start, end);
        else ranges.remove(start, end);
        for (let i = start; i < end; i++) add ? model.add(i) : model.delete(i);
        expect(ranges.edges).toEqual(edgesOf(model));
      }
      for (let i = 0; i < 80; i++) expect(ranges.has(i)).toBe(model.has(i));
      expect(ranges.size).toBe(edgesOf(model).length / 2);
      expect(ranges.isEmpty).toBe(model.size === 0);
      const absent = new Set<number>();
      for (let i = asked[0]; i < asked[1]; i++) if (!model.has(i)) absent.add(i);
      expect(ranges.missing(asked[0], asked[1])).toEqual(edgesOf(absent));
    }),
  );
});
