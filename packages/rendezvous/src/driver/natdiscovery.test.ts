import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRendezvous, type Rendezvous } from "./rendezvous.js";

/** coturn's own prober, to judge our server by code that is not ours. */
const PROBER = "turnutils_natdiscovery";
const ABSENT = spawnSync(PROBER, ["-h"]).error !== undefined;

describe.skipIf(ABSENT && !process.env.CI)(`${PROBER}${ABSENT ? " (skipped: coturn is not installed)" : ""}`, () => {
  let rendezvous: Rendezvous;
  let port: string;
  beforeAll(async () => {
    rendezvous = await createRendezvous({ hosts: ["127.0.0.1", "127.0.0.2"], port: 0, altPort: 0 });
    port = String(rendezvous.addresses[0]?.port);
  });
  afterAll(() => rendezvous.close());

  async function probe(test: string): Promise<string> {
    const { stdout } = await promisify(execFile)(PROBER, [test, "-p", port, "127.0.0.1"], { timeout: 20_000 });
    return stdout;
  }

  test("mapping", { timeout: 30_000 }, async () => {
    const said = await probe("-m");
    expect(said).toContain("NAT with Endpoint Independent Mapping!");
    expect(said).toMatch(new RegExp(`RFC 5780 response 2[^]*Response origin: : 127\\.0\\.0\\.2:${port}`));
  });

  test("filtering", { timeout: 30_000 }, async () => {
    const said = await probe("-f");
    expect(said).toContain("NAT with Endpoint Independent Filtering!");
    expect(said).toContain(`Response origin: : 127.0.0.2:${rendezvous.addresses[0]?.altPort}`);
  });
});
