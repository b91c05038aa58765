import { readFileSync } from "node:fs";

/** The published test vectors, as data that the interop tests and the benchmark read too. */
function vectors(rfc: "rfc5769" | "rfc8489"): (name: string) => Buffer {
  const list: { name: string; hex: string[] }[] = JSON.parse(readFileSync(new URL(`../../vectors/${rfc}.json`, import.meta.url), "utf8"));
  return (name) => {
    const found = list.find((vector) => vector.name === name);
    if (!found) throw new Error(`${rfc} has no vector ${name}`);
    return Buffer.from(found.hex.join("").replaceAll(" ", ""), "hex");
  };
}

export const rfc5769 = vectors("rfc5769");
export const rfc8489 = vectors("rfc8489");

/** RFC 5769 sections 2.1 to 2.3. */
export const ICE_PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt";

/** RFC 5769 section 2.4 and RFC 8489 appendix B.1. The password is given as it is after OpaqueString (SASLprep then). */
export const LONG_TERM = { username: "マトリックス", realm: "example.org", password: "TheMatrIX" } as const;
