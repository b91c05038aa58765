import { type PathEvent, type ReasonEvent, Session, type SessionEvent, type SessionInput, type SessionOptions } from "@awl/peer";
import type { Endpoint } from "@awl/wire";
import { Alarm } from "./alarm.js";
import type { Clock } from "./clock.js";
import type { Host } from "./host.js";
import type { Random } from "./random.js";

type SideOptions = Pick<SessionOptions, "role" | "keys" | "stun" | "startedAt">;

/** More than one try, or one and the path in use, is never open: one socket a family each. */
const MAX_SOCKETS_PER_FAMILY = 4;

/**
 * One session on a host, driven as the package's driver does, in virtual time. It throws where the machine breaks what it promises
 * to every driver: nothing after the end, no deadline in the past, no socket that is not open, no more sockets than a few.
 */
export class SessionSide {
  readonly host: Host;
  readonly session: Session;
  readonly events: SessionEvent[] = [];
  path: PathEvent | undefined;
  reason: ReasonEvent | undefined;
  closed: Extract<SessionEvent, { event: "closed" }> | undefined;
  /** Datagrams sent. */
  sent = 0;
  /** The most datagrams that one endpoint got in one second. */
  busiest = 0;
  /** Sockets opened so far: one a family for each try. */
  opened = 0;
  /** The most that were open at once. */
  mostSockets = 0;
  /** Takes what is to be sent inside the TLS session. */
  onControl: (bytes: Buffer) => void = () => {};
  /** Sees every datagram that leaves. */
  onSend: (bytes: Buffer, to: Endpoint) => void = () => {};
  readonly #clock: Clock;
  readonly #sockets = new Map<number, Endpoint>();
  readonly #sentInSecond = new Map<string, number>();
  #second = 0;
  readonly #alarm: Alarm;

  constructor(clock: Clock, random: Random, host: Host, options: SideOptions) {
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => this.feed({ type: "tick" }));
    this.host = host;
    this.session = new Session({
      ...options,
      families: [...host.addresses.keys()],
      own: new Set(host.addresses.values()),
      random: (length) => random.bytes(length),
    });
  }

  feed(input: SessionInput): void {
    const { now } = this.#clock;
    const wasOver = this.closed !== undefined;
    for (const output of this.session.handle(now, input)) {
      if (wasOver) throw new Error(`said after the end: ${output.type}`);
      switch (output.type) {
        case "open":
          this.#open(output.socket, output.family);
          break;
        case "close-socket":
          this.#close(output.socket);
          break;
        case "send": {
          const from = this.#sockets.get(output.socket);
          if (from === undefined) throw new Error("sent on a socket that is not open");
          this.#count(output.to);
          this.onSend(output.bytes, output.to);
          this.host.send(from, output.to, output.bytes, output.ttl);
          break;
        }
        case "control":
          this.onControl(output.bytes);
          break;
        case "event":
          this.#note(output.event);
          break;
        case "wake":
          this.#alarm.set(output.at);
      }
    }
    if (this.closed && this.#sockets.size > 0) throw new Error("ended with sockets open");
  }

  #open(socket: number, family: 4 | 6): void {
    const receive = (packet: { from: Endpoint; bytes: Buffer }) =>
      this.feed({ type: "datagram", socket, from: packet.from, bytes: packet.bytes });
    const local = this.host.bind(family, receive);
    if (local === undefined) throw new Error(`a socket of a family that the host does not have: ${family}`);
    this.#sockets.set(socket, local);
    this.opened += 1;
    this.mostSockets = Math.max(this.mostSockets, this.#sockets.size);
    if (this.#sockets.size > MAX_SOCKETS_PER_FAMILY * this.host.addresses.size) throw new Error(`${this.#sockets.size} sockets are open`);
    this.#clock.later(() => this.feed({ type: "opened", socket, hosts: [local] }));
  }

  #close(socket: number): void {
    const local = this.#sockets.get(socket);
    if (local) this.host.close(local);
    this.#sockets.delete(socket);
  }

  #note(event: SessionEvent): void {
    this.events.push(event);
    if (event.event === "path") this.path = event;
    if (event.event === "lost") this.path = undefined;
    if (event.event === "reason") this.reason = event;
    if (event.event === "closed") this.closed = event;
  }

  #count({ address, port }: Endpoint): void {
    this.sent += 1;
    const second = Math.trunc(this.#clock.now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#sentInSecond.clear();
    }
    const key = `${address} ${port}`;
    const count = (this.#sentInSecond.get(key) ?? 0) + 1;
    this.#sentInSecond.set(key, count);
    this.busiest = Math.max(this.busiest, count);
  }
}
