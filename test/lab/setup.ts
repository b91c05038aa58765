/** Global set-up of the `lab` project: runs once, in one process, before any test file. */
import type { TestProject } from "vitest/node";
import { ensureTools, type ToolsVerdict } from "./tools.js";

declare module "vitest" {
  interface ProvidedContext {
    lab: ToolsVerdict;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const verdict = await ensureTools();
  if (!verdict.available) {
    const message = `NAT lab unavailable: ${verdict.reason}`;
    // A skipped lab must not look like a green one where nobody reads the output.
    if (process.env.CI === "true") throw new Error(message);
    process.stderr.write(`${message}\n`);
  }
  project.provide("lab", verdict);
}
