import { expect, test } from "vitest";
import { parseCommandLine } from "./program.js";

const parse = (...args: string[]) => parseCommandLine(args, {}, "1.2.3");

test("defaults", () => {
  expect(parse()).toEqual({ type: "probe", options: { servers: [], family: undefined, json: false, timeoutMs: 2_200 } });
});

test("servers and options in any order", () => {
  expect(parse("--json", "a.example", "-6", "stun:b.example:99", "--timeout", "500")).toEqual({
    type: "probe",
    options: { servers: ["a.example", "stun:b.example:99"], family: 6, json: true, timeoutMs: 500 },
  });
});

test("AWL_SERVER stands in for a missing server, not beside a given one", () => {
  const servers = (args: string[]) => {
    const request = parseCommandLine(args, { AWL_SERVER: "env.example" }, "1.2.3");
    return request.type === "probe" && request.options.servers;
  };
  expect(servers([])).toEqual(["env.example"]);
  expect(servers(["arg.example"])).toEqual(["arg.example"]);
});

test.each([
  [["--bogus"], "unknown option '--bogus'"],
  [["-4", "-6"], "-4 and -6 exclude each other"],
  [["--timeout"], "argument missing"],
  [["--timeout", "soon"], "whole number"],
  [["--timeout", "0"], "whole number"],
  [["--lifetime", "stun.example.org"], "whole number"],
  [["http://x"], "not a server: http://x"],
])("%j is refused in one line", (args, message) => {
  expect(() => parse(...args)).toThrow(expect.objectContaining({ code: "usage", message: expect.stringContaining(message) }));
  expect(() => parse(...args)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("\n") }));
});

test.each(["--lifetime", "--lifetime=60", "--hairpin", "--watch", "--quick"])("%s parses, and says that it is not built yet", (option) => {
  expect(() => parse(option)).toThrow(expect.objectContaining({ code: "not-built", message: expect.stringContaining("is not built yet") }));
});

test("--help and --version print", () => {
  expect(parse("--version")).toEqual({ type: "print", text: "1.2.3\n" });
  expect(parse("--help")).toMatchObject({ type: "print", text: expect.stringContaining("Usage: nat-probe") });
});
