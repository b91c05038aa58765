import { Random } from "./random.js";

/** `AWL_SIM_RUNS=N`: N times as many seeds. `AWL_SIM_SEED=N`: that one alone. */
const FACTOR = Number(process.env.AWL_SIM_RUNS ?? 1);
const ALONE = process.env.AWL_SIM_SEED;

/**
 * Runs a test once a seed, from 0 on, with all its dice from that seed. What fails says which: the same bytes go over the same lines
 * when it is run again.
 */
export function forSeeds(count: number, run: (random: Random, seed: number) => void): void {
  const seeds = ALONE === undefined ? Array.from({ length: count * FACTOR }, (_, seed) => seed) : [Number(ALONE)];
  for (const seed of seeds) {
    try {
      run(new Random(seed), seed);
    } catch (error) {
      if (error instanceof Error) error.message = `AWL_SIM_SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
}
