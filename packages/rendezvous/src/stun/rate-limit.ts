import { canonicalAddress, parseAddress } from "@awl/wire";

/** How often a server may be made to answer from, or to, another endpoint than the one that was asked or that asked. */
export interface ReflectionLimits {
  /**
   * Answers a second for one source prefix: /24 of IPv4, /56 of IPv6, the smallest blocks that sites are given.
   * A classification asks for some 30, so this is 33 of them a second from one site or CGN pool, at 70 kB/s.
   * @default 1000
   */
  readonly prefixRate: number;
  /** Answers at once for one source prefix. @default 1000 */
  readonly prefixBurst: number;
  /** Answers a second for all sources together: 350 kB/s. @default 5000 */
  readonly globalRate: number;
  /** Answers at once for all sources together. @default 5000 */
  readonly globalBurst: number;
  /**
   * Prefixes remembered. By default more than can have a bucket that is not full (globalBurst, and globalRate for
   * the second that a bucket takes to fill, make 10,000), so that forgetting the oldest one never forgives anything.
   * @default 16384
   */
  readonly maxPrefixes: number;
}

export const DEFAULT_REFLECTION_LIMITS: ReflectionLimits = {
  prefixRate: 1000,
  prefixBurst: 1000,
  globalRate: 5000,
  globalBurst: 5000,
  maxPrefixes: 16_384,
};

/**
 * Token buckets: one per source prefix and one for all.
 *
 * Sources can be forged, so nothing here may grow with them: the table is bounded, an answer that the common bucket
 * refuses leaves no trace in it, and a prefix that is forgotten starts over with a full bucket. A flood of forged
 * prefixes can thus empty the common bucket, but neither memory nor any single prefix's share.
 */
export class ReflectionLimiter {
  readonly #limits: ReflectionLimits;
  readonly #global: Bucket;
  /** Least recently used first. */
  readonly #prefixes = new Map<string, Bucket>();

  constructor(limits: Partial<ReflectionLimits> = {}) {
    this.#limits = { ...DEFAULT_REFLECTION_LIMITS, ...limits };
    this.#global = { tokens: this.#limits.globalBurst, at: 0 };
  }

  /** Takes one token for a source address at `now` (milliseconds of any monotonic clock); `false`: there is none. */
  take(now: number, address: string): boolean {
    const { prefixRate, prefixBurst, globalRate, globalBurst } = this.#limits;
    refill(this.#global, now, globalRate, globalBurst);
    if (this.#global.tokens < 1) return false;

    const bucket = this.#use(prefixOf(address), now);
    refill(bucket, now, prefixRate, prefixBurst);
    if (bucket.tokens < 1) return false;

    bucket.tokens--;
    this.#global.tokens--;
    return true;
  }

  /** Prefixes remembered at the moment; never above `maxPrefixes`. */
  get prefixes(): number {
    return this.#prefixes.size;
  }

  #use(prefix: string, now: number): Bucket {
    const known = this.#prefixes.get(prefix);
    if (known) this.#prefixes.delete(prefix);
    else if (this.#prefixes.size >= this.#limits.maxPrefixes) this.#forgetOldest();
    const bucket = known ?? { tokens: this.#limits.prefixBurst, at: now };
    this.#prefixes.set(prefix, bucket);
    return bucket;
  }

  #forgetOldest(): void {
    for (const oldest of this.#prefixes.keys()) {
      this.#prefixes.delete(oldest);
      return;
    }
  }
}

interface Bucket {
  tokens: number;
  at: number;
}

function refill(bucket: Bucket, now: number, rate: number, burst: number): void {
  const elapsed = Math.max(0, now - bucket.at);
  bucket.tokens = Math.min(burst, bucket.tokens + (elapsed * rate) / 1000);
  bucket.at = now;
}

/** The first 3 or 7 bytes: a name that no prefix of the other family can have. */
function prefixOf(address: string): string {
  const bytes = parseAddress(canonicalAddress(address)) ?? new Uint8Array(0);
  return bytes.subarray(0, bytes.length === 4 ? 3 : 7).join(".");
}
