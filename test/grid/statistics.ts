/** The value that this share of all is no greater than; NaN of none. */
export function quantile(share: number, values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Two-sided 95 % of the normal distribution. */
const Z = 1.959964;

/** Wilson's 95 % confidence interval of a success rate, which holds at 0 and at 1, too. */
export function wilson(successes: number, runs: number): { readonly low: number; readonly high: number } {
  const share = successes / runs;
  const scale = 1 + Z ** 2 / runs;
  const centre = (share + Z ** 2 / (2 * runs)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / runs + Z ** 2 / (4 * runs ** 2));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
