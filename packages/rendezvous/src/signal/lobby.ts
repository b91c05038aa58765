import type { Endpoint, SignalErrorCode } from "@awl/wire";
import { Client, type ClientId, type Link, type Room } from "./client.js";
import type { SignalLimits } from "./limits.js";
import { Tally } from "./tally.js";
import { TokenBucket } from "./token-bucket.js";

/** How much there is at the moment. */
export interface LobbySize {
  readonly clients: number;
  readonly rooms: number;
  readonly links: number;
}

/** Who is here: connections, rooms and links, each within its limits. Every change of them is one of its methods. */
export class Lobby {
  readonly #limits: SignalLimits;
  readonly #clients = new Map<ClientId, Client>();
  readonly #sources = new Tally();
  readonly #rooms = new Map<string, Room>();
  readonly #links = new Set<Link>();
  /** Links by room and knocker's source. */
  readonly #visitors = new Tally();

  constructor(limits: SignalLimits) {
    this.#limits = limits;
  }

  get size(): LobbySize {
    return { clients: this.#clients.size, rooms: this.#rooms.size, links: this.#links.size };
  }

  /** All maps are empty: nothing was left behind. */
  get isEmpty(): boolean {
    return [this.#clients, this.#sources, this.#rooms, this.#links, this.#visitors].every(({ size }) => size === 0);
  }

  clients(): Client[] {
    return [...this.#clients.values()];
  }

  client(id: ClientId): Client | undefined {
    return this.#clients.get(id);
  }

  admit(now: number, id: ClientId, observed: Endpoint, challenge: Buffer): Client | SignalErrorCode {
    if (this.#clients.size >= this.#limits.clients) return "too-many-clients";
    const client = new Client(now, id, observed, challenge, this.#limits);
    if (this.#sources.of(client.source) >= this.#limits.clientsPerAddress) return "too-many-clients-of-address";
    this.#sources.add(client.source);
    this.#clients.set(id, client);
    return client;
  }

  /** Takes its place away; its room and links must be gone. */
  dismiss(client: Client): void {
    if (this.#clients.delete(client.id)) this.#sources.remove(client.source);
  }

  room(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  openRoom(now: number, name: string, listener: Client): Room | SignalErrorCode {
    if (this.#rooms.size >= this.#limits.rooms) return "too-many-rooms";
    const room = { name, listener, knocks: new TokenBucket(now, this.#limits.knockBurst) };
    this.#rooms.set(name, room);
    listener.room = room;
    return room;
  }

  /** Its links must be gone. */
  closeRoom(room: Room): void {
    this.#rooms.delete(room.name);
    room.listener.room = undefined;
  }

  link(now: number, knocker: Client, room: Room): Link | SignalErrorCode {
    const { listener } = room;
    const { knockRate, knockBurst, linksPerClient, linksPerRoom, linksPerRoomAndAddress } = this.#limits;
    if (listener === knocker) return "own-room";
    if (knocker.knocked >= linksPerClient) return "too-many-links";
    const visitor = visitorOf(room, knocker);
    const inRoom = listener.links - listener.knocked;
    if (inRoom >= linksPerRoom || this.#visitors.of(visitor) >= linksPerRoomAndAddress) return "room-full";
    if (!room.knocks.take(now, 1, knockRate, knockBurst)) return "room-busy";

    const link = { room, admittedAt: Number.NEGATIVE_INFINITY } as { -readonly [Key in keyof Link]: Link[Key] };
    link.knocker = { number: knocker.nextNumber(), client: knocker, link };
    link.listener = { number: listener.nextNumber(), client: listener, link };
    for (const end of [link.knocker, link.listener]) end.client.ends.set(end.number, end);
    knocker.knocked++;
    this.#visitors.add(visitor);
    this.#links.add(link);
    return link;
  }

  unlink(link: Link): void {
    if (!this.#links.delete(link)) return;
    for (const end of [link.knocker, link.listener]) end.client.ends.delete(end.number);
    link.knocker.client.knocked--;
    this.#visitors.remove(visitorOf(link.room, link.knocker.client));
  }
}

/** No room's name has a space in it. */
function visitorOf(room: Room, knocker: Client): string {
  return `${room.name} ${knocker.source}`;
}
