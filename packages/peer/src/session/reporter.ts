import type { Endpoint } from "@awl/wire";
import { type Candidate, strategyOf } from "./candidate.js";
import type { NatSummary } from "./control-message.js";
import type { PathKeeper } from "./path-keeper.js";
import type { PathKind } from "./paths.js";
import { RELAYED, whyDirect, whyNoPath, whyRelayed } from "./reason.js";
import type { SessionEvent, Tried } from "./session-io.js";

/** What a search for a direct path has cost so far. */
export interface Effort {
  readonly packets: number;
  /** When it began; `undefined`: it has not. */
  readonly startedAt: number | undefined;
}

/** Tells which path is in use, and why it is no better. */
export class Reporter {
  /** What each side measured. */
  local: NatSummary | undefined;
  remote: NatSummary | undefined;
  readonly #startedAt: number;
  readonly #emit: (event: SessionEvent) => void;

  /** `startedAt`: the moment that `elapsedMs` counts from. */
  constructor(startedAt: number, emit: (event: SessionEvent) => void) {
    this.#startedAt = startedAt;
    this.#emit = emit;
  }

  /** `candidates`: ours; among them is that which the peer sees, unless its NAT or ours made up another. */
  direct(now: number, { pair, mapped }: PathKeeper, candidates: readonly Candidate[], effort: Effort): void {
    const local = candidates.find(({ address, port }) => address === mapped.address && port === mapped.port);
    const strategy = strategyOf(pair.remote, mapped);
    const punchMs = now - (effort.startedAt ?? now);
    this.#emit({
      event: "path",
      kind: "direct",
      pair: { local: { type: "peer-reflexive", ...local, ...mapped }, remote: pair.remote },
      strategy,
      elapsedMs: now - this.#startedAt,
      punchMs,
      rttMs: pair.rttMs ?? 0,
    });
    this.#reason("direct", whyDirect(this.local, this.remote, strategy), { strategy, outcome: "succeeded", ...costOf(now, effort) });
  }

  relayed(now: number, { pair }: PathKeeper, relayed: Endpoint, why: keyof typeof RELAYED): void {
    this.#emit({
      event: "path",
      kind: "relay",
      pair: { local: { type: "relayed", ...relayed }, remote: pair.remote },
      strategy: "relay",
      elapsedMs: now - this.#startedAt,
      punchMs: null,
      rttMs: pair.rttMs ?? 0,
    });
    this.#reason("relay", RELAYED[why]);
  }

  /** All has been tried, and the relay it is. */
  stuck(now: number, effort: Effort): void {
    const tried = { strategy: "open", outcome: "failed", ...costOf(now, effort) } as const;
    this.#reason("relay", whyRelayed(this.local, this.remote), tried);
  }

  /** Returns the reason. `relay`: why there is none. */
  none(now: number, text: string | undefined, relay: string | undefined, effort: Effort): string {
    const why = text ?? whyNoPath(this.local, this.remote, relay);
    this.#reason("none", why, { strategy: "open", outcome: "failed", ...costOf(now, effort) });
    return why;
  }

  #reason(path: PathKind | "none", text: string, ...tried: Tried[]): void {
    this.#emit({ event: "reason", path, local: this.local ?? null, remote: this.remote ?? null, tried, text });
  }
}

function costOf(now: number, { packets, startedAt = now }: Effort): { packets: number; ms: number } {
  return { packets, ms: now - startedAt };
}
