import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/closing-line.js";

/** Tests run the TypeScript sources of the workspace packages, through the export condition `awl-source`: no build needed. */
const conditions = ["awl-source", "node", "import", "default"];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };

// biome-ignore lint/style/noDefaultExport: what vitest loads
export default defineConfig({
  test: {
    reporters: ["default", new ClosingLine()],
    // By default one processor is left idle: half of them, on a small machine. What runs in the lab waits more than it computes.
    maxWorkers: "150%",
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: "unit",
          // Its tests change nothing that they share, and loading it all anew for each file takes a third of their time.
          isolate: false,
          include: ["packages/*/src/**/*.test.ts", "test/*.test.ts", "test/interop/**/*.test.ts"],
          // Against hangs only. AWL_HOSTILE makes some tests long.
          testTimeout: process.env.AWL_HOSTILE ? 300_000 : 30_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "sim",
          isolate: false,
          include: ["test/sim/**/*.test.ts"],
          // Against hangs only. These make some tests long.
          testTimeout: process.env.AWL_SIM_RUNS || process.env.AWL_HOSTILE ? 3_600_000 : 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          globalSetup: "test/lab/setup.ts",
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "docker",
          include: ["test/docker/**/*.test.ts"],
          globalSetup: "test/docker/setup.ts",
          testTimeout: 120_000,
          // Images are built in one.
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
