import { describe, inject } from "vitest";
import type {} from "./setup.js";
import { checkTools } from "./tools.js";

/** Without the global set-up (a single file run by hand) workers look, but leave installing to a person. */
const verdict = inject("lab") ?? (await checkTools());

/** `describe` for what needs the lab: where there is none it is skipped, and its name says why. */
export function describeLab(name: string, body: () => void): void {
  if (verdict.available) describe(name, body);
  else describe.skip(`${name} (no lab: ${verdict.reason})`, body);
}
