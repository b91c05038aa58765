import type { Account, Accounts } from "./accounts.js";
import type { TakenPort } from "./allocations.js";

/** A port kept for the allocation that will name its token. RFC 8656 section 7.2. */
interface Reservation extends TakenPort {
  readonly account: Account;
  readonly expiresAt: number;
}

/** RFC 8656 section 7.2: at least 30 seconds. */
const RESERVATION_MS = 30_000;

/**
 * Ports reserved by EVEN-PORT. A reservation counts as an allocation of the user until it is used or over: otherwise one
 * user who allocates and lets go, again and again, would soon have reserved all ports.
 */
export class Reservations {
  readonly #accounts: Accounts;
  /** In the order of their ends. */
  readonly #reservations = new Map<string, Reservation>();

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  get size(): number {
    return this.#reservations.size;
  }

  /** `token`: 8 bytes that nobody can predict. */
  add(now: number, token: Buffer, account: Account, { home, port }: TakenPort): void {
    account.held++;
    this.#reservations.set(token.toString("latin1"), { home, port, account, expiresAt: now + RESERVATION_MS });
  }

  /** The port of this token, now the caller's; only the user who reserved it gets it. */
  redeem(now: number, token: Uint8Array, owner: string): TakenPort | undefined {
    const key = Buffer.from(token).toString("latin1");
    const reservation = this.#reservations.get(key);
    if (!reservation || reservation.expiresAt <= now || reservation.account.owner !== owner) return undefined;
    this.#reservations.delete(key);
    reservation.account.held--;
    return reservation;
  }

  sweep(now: number): void {
    for (const [key, { home, port, account, expiresAt }] of this.#reservations) {
      if (expiresAt > now) return;
      this.#reservations.delete(key);
      home.ports.release(port);
      account.held--;
      this.#accounts.close(account);
    }
  }
}
