import { expect, test } from "vitest";
import { parseUrl } from "./url.js";

test("reads a URL, or says that it is none", () => {
  expect(parseUrl("wss://bücher.example/?x")?.href).toBe("wss://xn--bcher-kva.example/?x");
  for (const text of ["", "203.0.113.1:3478", "ws://", "//host"]) expect(parseUrl(text)).toBeUndefined();
});

test("goes on reading Latin-1 when the code is hot", () => {
  const text = Buffer.from("wss://bücher.example/").toString();
  let refused = 0;
  for (let round = 0; round < 50_000; round++) if (!parseUrl(text)) refused += 1;
  expect(refused).toBe(0);
});
