import { TokenBucket } from "../signal/token-bucket.js";
import type { Session } from "./authenticator.js";
import type { Grant } from "./credentials.js";
import type { TurnLimits } from "./limits.js";

/** What one user has, and may still have. */
export class Account {
  readonly owner: string;
  grant: Grant;
  /** Of the credential that the grant came with, Unix seconds. */
  expiry: number;
  /** Allocations, and ports reserved for one. */
  held = 0;
  bytesLeft: number;
  readonly rate: TokenBucket;

  constructor(now: number, { grant, expiry }: Session, limits: TurnLimits) {
    this.owner = grant.owner;
    this.grant = grant;
    this.expiry = expiry;
    this.bytesLeft = grant.bytes;
    this.rate = new TokenBucket(now, limits.userByteBurst);
  }

  /** A newer credential brings a new quota. An older one, shown again, must not. */
  renew({ grant, expiry }: Session): void {
    if (expiry <= this.expiry) return;
    this.grant = grant;
    this.expiry = expiry;
    this.bytesLeft = grant.bytes;
  }
}

/** The users with allocations, and those who have used some of their bytes: letting go of an allocation must not give them back. */
export class Accounts {
  readonly #limits: TurnLimits;
  readonly #accounts = new Map<string, Account>();

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#accounts.size;
  }

  get(owner: string): Account | undefined {
    return this.#accounts.get(owner);
  }

  /** The user's account, opened if need be; `undefined`: there is no room for another one. */
  open(now: number, session: Session): Account | undefined {
    const known = this.#accounts.get(session.grant.owner);
    if (known) return known;
    if (this.#accounts.size >= this.#limits.users && !this.#forgetOne()) return undefined;
    const account = new Account(now, session, this.#limits);
    this.#accounts.set(account.owner, account);
    return account;
  }

  /** Forgets an account that holds nothing and has used nothing. */
  close(account: Account): void {
    if (account.held === 0 && account.bytesLeft === account.grant.bytes) this.#accounts.delete(account.owner);
  }

  /** Forgets those whose credential cannot be used any more. `unixTime`: seconds. */
  expire(unixTime: number): void {
    for (const account of this.#accounts.values()) {
      if (account.held === 0 && account.expiry <= unixTime) this.#accounts.delete(account.owner);
    }
  }

  #forgetOne(): boolean {
    for (const account of this.#accounts.values()) {
      if (account.held > 0) continue;
      this.#accounts.delete(account.owner);
      return true;
    }
    return false;
  }
}
