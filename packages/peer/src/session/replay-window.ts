/** Numbers behind the highest one seen that are still told apart, as in RFC 4303 section 3.4.3 and WireGuard. */
const WINDOW = 1024;

/** Which of a sender's counter values were seen: each is accepted once, and none that is too old to know. */
export class ReplayWindow {
  #highest = -1;
  readonly #seen = new Uint32Array(WINDOW / 32);

  /** Whether this counter is new. Ask only after the datagram was authenticated: the answer is remembered. */
  accept(counter: number): boolean {
    if (counter > this.#highest) {
      this.#forget(this.#highest + 1, counter);
      this.#highest = counter;
    } else if (counter <= this.#highest - WINDOW || this.#has(counter)) {
      return false;
    }
    this.#add(counter);
    return true;
  }

  /** Clears the slots that the numbers `from` to `to` are about to take over from numbers long gone. */
  #forget(from: number, to: number): void {
    if (to - from >= WINDOW) {
      this.#seen.fill(0);
      return;
    }
    for (let counter = from; counter <= to; counter++)
      this.#seen[this.#word(counter)] = (this.#seen[this.#word(counter)] ?? 0) & ~bit(counter);
  }

  #has(counter: number): boolean {
    return ((this.#seen[this.#word(counter)] ?? 0) & bit(counter)) !== 0;
  }

  #add(counter: number): void {
    this.#seen[this.#word(counter)] = (this.#seen[this.#word(counter)] ?? 0) | bit(counter);
  }

  #word(counter: number): number {
    return Math.trunc((counter % WINDOW) / 32);
  }
}

function bit(counter: number): number {
  return 1 << (counter % 32);
}
