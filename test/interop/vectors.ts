import { readFileSync } from "node:fs";

/** RFC 5769's messages by name, from where packages/wire keeps them; found from the source and from its compiled copy alike. */
export function rfc5769(): ReadonlyMap<string, Buffer> {
  const file = import.meta.url.replace(/\/test\/(dist\/)?interop\/[^/]*$/, "/packages/wire/vectors/rfc5769.json");
  const list: { name: string; hex: string[] }[] = JSON.parse(readFileSync(new URL(file), "utf8"));
  return new Map(list.map(({ name, hex }) => [name, Buffer.from(hex.join("").replaceAll(" ", ""), "hex")]));
}

export const ICE_PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt";
export const LONG_TERM = { username: "マトリックス", realm: "example.org", password: "TheMatrIX" } as const;
