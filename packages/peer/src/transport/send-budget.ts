/** Who waits for room to write. */
export interface BudgetHolder {
  /** Bytes of it that are not yet acknowledged. */
  readonly held: number;
  /** There is room again. */
  roomAgain(): void;
}

/** A stream that holds less than this may always write more, however much the others hold. */
const ASSURED = 65_536;
/** Less room than this is not worth waking anybody. */
const WORTHWHILE = 32_768;

/** Bounds what waits to be acknowledged, on one stream and on all: the backpressure of writers. */
export class SendBudget {
  readonly #perStream: number;
  readonly #inAll: number;
  readonly #waiting = new Set<BudgetHolder>();
  #used = 0;

  constructor(perStream: number, inAll: number) {
    this.#perStream = perStream;
    this.#inAll = inAll;
  }

  /** Takes up to that many bytes; whoever gets fewer is told when there is room again. */
  take(holder: BudgetHolder, wanted: number): number {
    const granted = Math.min(wanted, this.#roomFor(holder));
    if (granted < wanted) this.#waiting.add(holder);
    this.#used += granted;
    return granted;
  }

  give(holder: BudgetHolder, bytes: number): void {
    this.#used -= bytes;
    if (this.#waiting.size === 0) return;
    if (this.#inAll - this.#used >= WORTHWHILE) {
      for (const one of this.#waiting) this.#wake(one);
    } else this.#wake(holder);
  }

  /** It will write no more. */
  forget(holder: BudgetHolder): void {
    this.#waiting.delete(holder);
  }

  #wake(holder: BudgetHolder): void {
    if (this.#roomFor(holder) >= WORTHWHILE && this.#waiting.delete(holder)) holder.roomAgain();
  }

  #roomFor({ held }: BudgetHolder): number {
    return Math.max(0, Math.min(this.#perStream - held, Math.max(ASSURED - held, this.#inAll - this.#used)));
  }
}
