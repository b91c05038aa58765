import { type AddressFamily, type AttributeValue, addressFamily, type Endpoint } from "@awl/wire";
import type { Account } from "./accounts.js";
import { EndpointMap } from "./endpoint-map.js";
import type { RelayAddress } from "./relay-address.js";

/** The driver's name of a TCP or TLS connection. */
export type ConnectionId = number;

/** The name of a relayed address, for the driver: what it binds a socket for. */
export type RelayId = number;

/** One end of a 5-tuple: a client as the server reaches it. */
export interface ClientPath {
  /** The served address that it came to, by index. */
  readonly local: number;
  readonly remote: Endpoint;
  /** `undefined`: over UDP. */
  readonly connection: ConnectionId | undefined;
}

/** A permission: its address may send to the relayed addresses, and be sent to. RFC 8656 section 9. */
export interface Permission {
  expiresAt: number;
  /** Whether what is sent there leaves this process. */
  readonly foreign: boolean;
}

/** A channel: a short name for a peer. RFC 8656 section 12. */
export interface Channel {
  readonly number: number;
  readonly peer: Endpoint;
  readonly relay: Relay;
  expiresAt: number;
}

/** A relayed transport address. */
export class Relay {
  readonly id: RelayId;
  readonly allocation: Allocation;
  readonly home: RelayAddress;
  readonly family: AddressFamily;
  /** As peers see it. */
  readonly relayed: Endpoint;
  /** `none`: no foreign address had a permission so far. `failed`: for the moment, while those who waited for it are answered. */
  socket: "none" | "binding" | "bound" | "failed" = "none";

  constructor(id: RelayId, allocation: Allocation, home: RelayAddress, port: number) {
    this.id = id;
    this.allocation = allocation;
    this.home = home;
    this.family = addressFamily(home.publicAddress);
    this.relayed = { address: home.publicAddress, port };
  }
}

/** RFC 8656 section 3.2. */
export class Allocation {
  readonly path: ClientPath;
  readonly account: Account;
  /** Of the Allocate request. */
  readonly transactionId: Buffer;
  /** What a repeated Allocate is answered. RFC 8656 section 7.2. */
  granted: readonly AttributeValue[] = [];
  /** One, or one of each family. */
  readonly relays: Relay[] = [];
  readonly permissions = new Map<string, Permission>();
  readonly channels = new Map<number, Channel>();
  readonly channelsByPeer = new EndpointMap<Channel>();
  expiresAt: number;

  constructor(path: ClientPath, account: Account, transactionId: Buffer, expiresAt: number) {
    this.path = path;
    this.account = account;
    // Copied: it is a view of a datagram, all of whose memory would be kept alive.
    this.transactionId = Buffer.from(transactionId);
    this.expiresAt = expiresAt;
  }

  relayOf(family: AddressFamily): Relay | undefined {
    for (const relay of this.relays) if (relay.family === family) return relay;
    return undefined;
  }

  permission(now: number, address: string): Permission | undefined {
    const permission = this.permissions.get(address);
    return permission && permission.expiresAt > now ? permission : undefined;
  }

  channel(now: number, number: number): Channel | undefined {
    const channel = this.channels.get(number);
    return channel && channel.expiresAt > now ? channel : undefined;
  }

  channelTo(now: number, peer: Endpoint): Channel | undefined {
    const channel = this.channelsByPeer.get(peer);
    return channel && channel.expiresAt > now ? channel : undefined;
  }
}
