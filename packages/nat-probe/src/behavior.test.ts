import { expect, test } from "vitest";
import { classicName, type Filtering, type Mapping, type NatType } from "./behavior.js";

const EI = "endpoint-independent";
const AD = "address-dependent";
const APD = "address-and-port-dependent";

test.each<[Mapping, Filtering, NatType]>([
  ["none", EI, "open"],
  ["none", AD, "symmetric-firewall"],
  ["none", APD, "symmetric-firewall"],
  ["none", "unknown", "unknown"],
  [EI, EI, "full-cone"],
  [EI, AD, "restricted-cone"],
  [EI, APD, "port-restricted-cone"],
  [EI, "unknown", "unknown"],
  [AD, EI, "symmetric"],
  [AD, APD, "symmetric"],
  [APD, AD, "symmetric"],
  [APD, "unknown", "symmetric"],
  ["unknown", EI, "unknown"],
])("mapping %s with filtering %s is %s", (mapping, filtering, name) => {
  expect(classicName(mapping, filtering)).toBe(name);
});
