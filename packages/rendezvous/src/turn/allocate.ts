import {
  AdditionalAddressFamily,
  AddressErrorCode,
  type AddressFamily,
  type AttributeValue,
  addressFamily,
  ErrorReason,
  EvenPort,
  Lifetime,
  RequestedAddressFamily,
  RequestedTransport,
  ReservationToken,
  type StunMessage,
  XorMappedAddress,
  XorRelayedAddress,
} from "@awl/wire";
import type { Account, Accounts } from "./accounts.js";
import type { ClientPath } from "./allocation.js";
import type { Allocations, TakenPort } from "./allocations.js";
import { type Answer, error, success } from "./answer.js";
import type { Session } from "./authenticator.js";
import type { TurnLimits } from "./limits.js";
import type { RelayAddress } from "./relay-address.js";

export interface AllocatorOptions {
  /** The served addresses, in their order. */
  readonly homes: readonly RelayAddress[];
  readonly limits: TurnLimits;
  readonly random: (length: number) => Buffer;
}

/** Makes allocations. */
export class Allocator {
  readonly #options: AllocatorOptions;
  readonly #allocations: Allocations;
  readonly #accounts: Accounts;

  constructor(options: AllocatorOptions, allocations: Allocations, accounts: Accounts) {
    this.#options = options;
    this.#allocations = allocations;
    this.#accounts = accounts;
  }

  /** RFC 8656 section 7.2, in its order. */
  allocate(now: number, request: StunMessage, path: ClientPath, session: Session): Answer {
    const existing = this.#allocations.of(now, path);
    if (existing) {
      const repeated = existing.transactionId.equals(request.transactionId) && existing.account.owner === session.grant.owner;
      return repeated ? success(existing.granted) : error(437);
    }
    const malformed = whyMalformed(request);
    if (malformed) return error(malformed);

    const token = request.get(ReservationToken);
    const account = this.#accounts.open(now, session);
    if (!account) return error(508);
    account.renew(session);
    const answer = token ? this.#redeem(now, request, path, account, token) : this.#create(now, request, path, account);
    if (answer.kind === "error") this.#accounts.close(account);
    return answer;
  }

  #redeem(now: number, request: StunMessage, path: ClientPath, account: Account, token: Uint8Array): Answer {
    const taken = this.#allocations.reservations.redeem(now, token, account.owner);
    return taken ? this.#grant(now, request, path, account, [taken], []) : error(508);
  }

  #create(now: number, request: StunMessage, path: ClientPath, account: Account): Answer {
    const even = request.get(EvenPort);
    const room = this.#whyNoRoom(account, even === true ? 2 : 1);
    if (room) return error(room);

    const additional = request.has(AdditionalAddressFamily);
    const families: readonly AddressFamily[] = additional ? [4, 6] : [request.get(RequestedAddressFamily) ?? 4];
    const taken: TakenPort[] = [];
    const failed: { family: AddressFamily; code: 440 | 508 }[] = [];
    for (const family of families) {
      const home = this.#homeOf(path.local, family);
      const port = home?.ports.take(even !== undefined, even);
      if (home && port !== undefined) taken.push({ home, port });
      else failed.push({ family, code: home ? 508 : 440 });
    }
    if (taken.length === 0) return error(failed[0]?.code ?? 508);

    const told = failed.map(({ family, code }) => AddressErrorCode.of({ family, code, reason: ErrorReason[code] }));
    const [first] = taken;
    if (even !== true || !first) return this.#grant(now, request, path, account, taken, told);
    const reservation = this.#options.random(8);
    const answer = this.#grant(now, request, path, account, taken, [...told, ReservationToken.of(reservation)]);
    this.#allocations.reservations.add(now, reservation, account, { home: first.home, port: first.port + 1 });
    return answer;
  }

  #grant(
    now: number,
    request: StunMessage,
    path: ClientPath,
    account: Account,
    taken: readonly TakenPort[],
    details: readonly AttributeValue[],
  ): Answer {
    const seconds = desiredLifetime(request) || DEFAULT_LIFETIME;
    const allocation = this.#allocations.create(path, account, request.transactionId, now + seconds * 1000, taken);
    allocation.granted = [
      ...allocation.relays.map(({ relayed }) => XorRelayedAddress.of(relayed)),
      ...details,
      Lifetime.of(seconds),
      XorMappedAddress.of(path.remote),
    ];
    return success(allocation.granted);
  }

  #whyNoRoom(account: Account, wanted: number): 486 | 508 | undefined {
    const { limits } = this.#options;
    if (account.held + wanted > limits.allocationsPerUser || account.bytesLeft <= 0) return 486;
    return this.#allocations.held + wanted > limits.allocations ? 508 : undefined;
  }

  /** The address that the client came to, or else the most widely reachable one of the family. */
  #homeOf(local: number, family: AddressFamily): RelayAddress | undefined {
    const { homes } = this.#options;
    const own = homes[local];
    const fits = ({ publicAddress }: RelayAddress): boolean => addressFamily(publicAddress) === family;
    return own && fits(own) ? own : homes.find(fits);
  }
}

/** Seconds. RFC 8656 section 3.2: 10 minutes, and an hour. */
const DEFAULT_LIFETIME = 600;
const MAX_LIFETIME = 3600;

/** Seconds; 0: none. RFC 8656 section 8.2. */
export function desiredLifetime(request: StunMessage): number {
  const asked = request.get(Lifetime) ?? DEFAULT_LIFETIME;
  return asked === 0 ? 0 : Math.max(DEFAULT_LIFETIME, Math.min(asked, MAX_LIFETIME));
}

const UDP = 17;

function whyMalformed(request: StunMessage): 400 | 442 | undefined {
  const transport = request.get(RequestedTransport);
  if (transport === undefined) return 400;
  if (transport !== UDP) return 442;
  const additional = request.get(AdditionalAddressFamily);
  const requested = request.has(RequestedAddressFamily);
  if (request.has(ReservationToken) && (request.has(EvenPort) || requested || additional !== undefined)) return 400;
  if (additional === undefined) return undefined;
  // IPv4 comes by itself. And a reserved port would be one of which family?
  return requested || additional === 4 || request.get(EvenPort) === true ? 400 : undefined;
}
