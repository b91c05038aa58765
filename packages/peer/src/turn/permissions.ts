import { type Endpoint, Method, XorPeerAddress } from "@awl/wire";
import { IDLE_MS, type Installer, isPassing, renewalMs, retryMs } from "./renewal.js";
import type { Result } from "./transactions.js";
import type { TurnFailure } from "./turn-io.js";

/** RFC 8656 section 9. */
const LIFETIME_MS = 300_000;

/** Later than a channel is renewed, with time for a retry. */
const COVERED_MS = 260_000;

/** A session has 16 remote candidates at most, and a few generations of them. */
const MAX_PERMISSIONS = 64;

interface Permission {
  readonly address: string;
  /** Asked for, whether anything is sent there or not. */
  wanted: boolean;
  usedAt: number;
  /** When the server forgets it. */
  until: number;
  /** When to ask for it, again if need be. */
  due: number;
  busy: boolean;
  refused: boolean;
}

/** `failure`: the server does not want to; `repeated`: what was sent right behind the request may have come too early. */
export type PermissionAnswered = (now: number, address: string, failure: TurnFailure | undefined, repeated: boolean) => void;

/** Addresses that may send to our relayed one, and that the server sends to for us. RFC 8656 sections 9 and 10. */
export class Permissions {
  readonly #installer: Installer;
  readonly #answered: PermissionAnswered;
  readonly #byAddress = new Map<string, Permission>();

  constructor(installer: Installer, answered: PermissionAnswered) {
    this.#installer = installer;
    this.#answered = answered;
  }

  /** These are kept permitted, in place of those wanted before. Takes effect with the next `advance`. */
  want(now: number, addresses: Iterable<string>): void {
    for (const permission of this.#byAddress.values()) permission.wanted = false;
    for (const address of addresses) {
      const permission = this.#byAddress.get(address) ?? this.#add(now, address);
      if (permission) permission.wanted = true;
    }
  }

  /** Something is to be sent there. `unconfirmed`: it may follow its request at once, but that may fail. */
  use(now: number, address: string): "permitted" | "unconfirmed" | "refused" | "too-many" {
    const permission = this.#byAddress.get(address) ?? this.#add(now, address);
    if (!permission) return "too-many";
    permission.usedAt = now;
    if (now < permission.until) return "permitted";
    if (permission.busy) return "unconfirmed";
    if (now < permission.due) return permission.refused ? "refused" : "unconfirmed";
    if (this.#installer.full()) return "too-many";
    this.#install(now, permission);
    return "unconfirmed";
  }

  /** Whether data from there can be: the server would not relay it otherwise. RFC 8656 section 11.4. */
  allows(now: number, address: string): boolean {
    const permission = this.#byAddress.get(address);
    return permission !== undefined && (now < permission.until || permission.busy);
  }

  /** A channel to this address was bound, which permits it too. RFC 8656 section 12. */
  covered(now: number, address: string): void {
    const permission = this.#byAddress.get(address);
    // The channel's next renewal comes first, and does both.
    if (permission) renew(permission, now, COVERED_MS);
  }

  /** Asks for what is due, and forgets what nobody uses. */
  advance(now: number): void {
    for (const permission of this.#byAddress.values()) {
      if (permission.busy || now < permission.due) continue;
      if (!permission.wanted && now >= permission.usedAt + IDLE_MS) this.#byAddress.delete(permission.address);
      else if (!this.#installer.full()) this.#install(now, permission);
    }
  }

  get deadline(): number {
    // The end of any of the requests on the way comes first.
    if (this.#installer.full()) return Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (const { busy, due } of this.#byAddress.values()) if (!busy) earliest = Math.min(earliest, due);
    return earliest;
  }

  #add(now: number, address: string): Permission | undefined {
    if (this.#byAddress.size >= MAX_PERMISSIONS && !this.#makeRoom(now)) return undefined;
    const permission = {
      address,
      wanted: false,
      usedAt: now,
      until: Number.NEGATIVE_INFINITY,
      due: now,
      busy: false,
      refused: false,
    };
    this.#byAddress.set(address, permission);
    return permission;
  }

  /** Forgets one that the server does not have, or that was not used for long. */
  #makeRoom(now: number): boolean {
    for (const { address, wanted, busy, until, usedAt } of this.#byAddress.values()) {
      if (wanted || busy || (now < until && now < usedAt + IDLE_MS)) continue;
      return this.#byAddress.delete(address);
    }
    return false;
  }

  #install(now: number, permission: Permission): void {
    permission.busy = true;
    // Only the address counts: RFC 8656 section 10.2. Port 0 would be no transport address to some.
    const peer: Endpoint = { address: permission.address, port: 9 };
    this.#installer.begin(now, {
      method: Method.CreatePermission,
      attributes: [XorPeerAddress.of(peer)],
      done: (at, result) => this.#settle(at, permission, result),
    });
  }

  #settle(now: number, permission: Permission, result: Result): void {
    const { address } = permission;
    permission.busy = false;
    if (result.type === "success") {
      renew(permission, now, renewalMs(this.#installer.random));
      return this.#answered(now, address, undefined, result.repeated);
    }
    permission.due = now + retryMs(result);
    if (isPassing(result)) return;
    permission.until = Number.NEGATIVE_INFINITY;
    permission.refused = true;
    this.#answered(now, address, { code: result.code, text: result.text }, false);
  }
}

function renew(permission: Permission, now: number, ms: number): void {
  permission.until = now + LIFETIME_MS;
  permission.due = now + ms;
  permission.refused = false;
}
