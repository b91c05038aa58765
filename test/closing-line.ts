import type { Reporter, TestModule } from "vitest/node";

/** Ends the output with "N passed, N failed, N skipped": one line that any script can read. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++;
      // A file that does not load, or whose set-up fails, has no failed test to show for it.
      const broken = module.state() === "failed" && ![...module.children.allTests("failed")].length;
      if (broken) counts.failed++;
    }
    // biome-ignore lint/suspicious/noConsole: vitest's own output comes this way, and this is to come after it
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped`);
  }
}
