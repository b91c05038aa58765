import type { Endpoint } from "@awl/wire";
import type { Account, Accounts } from "./accounts.js";
import { Allocation, type ClientPath, type ConnectionId, Relay, type RelayId } from "./allocation.js";
import { EndpointMap } from "./endpoint-map.js";
import type { Outbox } from "./io.js";
import type { RelayAddress } from "./relay-address.js";
import { Reservations } from "./reservations.js";
import type { Waiting } from "./waiting.js";

/** A port that was taken for a new allocation. */
export interface TakenPort {
  readonly home: RelayAddress;
  readonly port: number;
}

/** How much there is at the moment. */
export interface TurnSize {
  readonly allocations: number;
  readonly reservations: number;
  readonly permissions: number;
  readonly channels: number;
  readonly users: number;
  readonly connections: number;
}

/** All allocations, by client and by relayed address. What has expired is not found, and forgotten by the next `sweep`. */
export class Allocations {
  readonly reservations: Reservations;
  readonly #out: Outbox;
  readonly #accounts: Accounts;
  readonly #waiting: Waiting;
  readonly #all = new Set<Allocation>();
  /** One map a served address. */
  readonly #datagrams: EndpointMap<Allocation>[] = [];
  readonly #connections = new Map<ConnectionId, Allocation>();
  readonly #relays = new Map<RelayId, Relay>();
  readonly #relayed = new EndpointMap<Relay>();
  #nextRelay: RelayId = 0;
  #permissions = 0;
  #channels = 0;

  constructor(out: Outbox, accounts: Accounts, waiting: Waiting) {
    this.#out = out;
    this.#waiting = waiting;
    this.#accounts = accounts;
    this.reservations = new Reservations(accounts);
  }

  get size(): Pick<TurnSize, "allocations" | "reservations" | "permissions" | "channels"> {
    return {
      allocations: this.#all.size,
      reservations: this.reservations.size,
      permissions: this.#permissions,
      channels: this.#channels,
    };
  }

  /** Allocations and reserved ports. */
  get held(): number {
    return this.#all.size + this.reservations.size;
  }

  ofDatagrams(now: number, local: number, from: Endpoint): Allocation | undefined {
    return this.#live(now, this.#datagrams[local]?.get(from));
  }

  ofConnection(now: number, connection: ConnectionId): Allocation | undefined {
    return this.#live(now, this.#connections.get(connection));
  }

  of(now: number, { local, remote, connection }: ClientPath): Allocation | undefined {
    return connection === undefined ? this.ofDatagrams(now, local, remote) : this.ofConnection(now, connection);
  }

  relay(id: RelayId): Relay | undefined {
    return this.#relays.get(id);
  }

  /** Whose relayed address this is. */
  relayAt(now: number, peer: Endpoint): Relay | undefined {
    const relay = this.#relayed.get(peer);
    return relay && relay.allocation.expiresAt > now ? relay : undefined;
  }

  create(path: ClientPath, account: Account, transactionId: Buffer, expiresAt: number, taken: readonly TakenPort[]): Allocation {
    const allocation = new Allocation(path, account, transactionId, expiresAt);
    for (const { home, port } of taken) {
      const relay = new Relay(this.#nextRelay++, allocation, home, port);
      allocation.relays.push(relay);
      this.#relays.set(relay.id, relay);
      this.#relayed.set(relay.relayed, relay);
    }
    account.held++;
    this.#all.add(allocation);
    if (path.connection !== undefined) this.#connections.set(path.connection, allocation);
    else this.#datagramsOf(path.local).set(path.remote, allocation);
    return allocation;
  }

  end(allocation: Allocation): void {
    const { path, account } = allocation;
    for (const relay of [...allocation.relays]) this.endRelay(relay);
    this.#permissions -= allocation.permissions.size;
    this.#channels -= allocation.channels.size;
    allocation.permissions.clear();
    allocation.channels.clear();
    this.#all.delete(allocation);
    if (path.connection !== undefined) this.#connections.delete(path.connection);
    else this.#datagrams[path.local]?.delete(path.remote);
    account.held--;
    this.#accounts.close(account);
  }

  /** Of two relayed addresses, one can be given up. */
  endRelay(relay: Relay): void {
    const { allocation, home, relayed } = relay;
    if (relay.socket !== "none") this.#out.put({ type: "release", relay: relay.id });
    allocation.relays.splice(allocation.relays.indexOf(relay), 1);
    for (const channel of allocation.channels.values()) if (channel.relay === relay) this.unbindChannel(allocation, channel.number);
    this.#relays.delete(relay.id);
    this.#relayed.delete(relayed);
    this.#waiting.drop(relay.id);
    home.ports.release(relayed.port);
  }

  /** Sets the permission, or sets its time anew. */
  permit(allocation: Allocation, address: string, foreign: boolean, expiresAt: number): void {
    const known = allocation.permissions.get(address);
    if (known) {
      known.expiresAt = expiresAt;
      return;
    }
    allocation.permissions.set(address, { expiresAt, foreign });
    this.#permissions++;
  }

  bindChannel(relay: Relay, number: number, peer: Endpoint, expiresAt: number): void {
    const { allocation } = relay;
    const known = allocation.channels.get(number);
    if (known) {
      known.expiresAt = expiresAt;
      return;
    }
    const channel = { number, peer, relay, expiresAt };
    allocation.channels.set(number, channel);
    allocation.channelsByPeer.set(peer, channel);
    this.#channels++;
  }

  unbindChannel(allocation: Allocation, number: number): void {
    const channel = allocation.channels.get(number);
    if (!channel) return;
    allocation.channels.delete(number);
    allocation.channelsByPeer.delete(channel.peer);
    this.#channels--;
  }

  /** Forgets what has expired. */
  sweep(now: number): void {
    for (const allocation of this.#all) {
      if (allocation.expiresAt <= now) this.end(allocation);
      else this.#sweepOne(now, allocation);
    }
    this.reservations.sweep(now);
  }

  #sweepOne(now: number, allocation: Allocation): void {
    for (const channel of allocation.channels.values()) if (channel.expiresAt <= now) this.unbindChannel(allocation, channel.number);
    for (const [address, permission] of allocation.permissions) {
      if (permission.expiresAt > now) continue;
      allocation.permissions.delete(address);
      this.#permissions--;
    }
  }

  /** What has expired in between two sweeps has to go at once where its client comes back: it may want a new one. */
  #live(now: number, allocation: Allocation | undefined): Allocation | undefined {
    if (!allocation || allocation.expiresAt > now) return allocation;
    this.end(allocation);
    return undefined;
  }

  #datagramsOf(local: number): EndpointMap<Allocation> {
    const known = this.#datagrams[local];
    if (known) return known;
    const made = new EndpointMap<Allocation>();
    this.#datagrams[local] = made;
    return made;
  }
}
