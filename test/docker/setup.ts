/** Global set-up of the `docker` project: says once whether there is an engine, and takes down what a run left. */
import type { TestProject } from "vitest/node";
import { Compose } from "./compose.js";
import { checkEngine, type EngineVerdict } from "./engine.js";

declare module "vitest" {
  interface ProvidedContext {
    docker: { readonly engine: EngineVerdict /** Compose's name for all that this run makes. */; readonly project: string };
  }
}

export async function setup(vitest: TestProject): Promise<(() => Promise<void>) | undefined> {
  const engine = await checkEngine();
  const project = `awl-test-${process.pid}`;
  vitest.provide("docker", { engine, project });
  if (engine.available) return () => new Compose(engine, project).down();
  const message = `compose lab unavailable: ${engine.reason}`;
  if (process.env.CI === "true") throw new Error(message);
  process.stderr.write(`${message}\n`);
  return undefined;
}
