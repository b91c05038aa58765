import { randomBytes } from "node:crypto";
import type { Endpoint } from "@awl/wire";
import { RelayLinks } from "../../packages/peer/src/driver/relay-links.js";
import { RelaySearch } from "../../packages/peer/src/turn/relay-search.js";
import type { RelayEvent, RelaySearchInput, RelaySearchOutput, RelayServer } from "../../packages/peer/src/turn/relay-search-io.js";

/** The peer's own TURN client on real sockets, with a clock that can be put forward. */
export class RelayClient implements AsyncDisposable {
  readonly events: RelayEvent[] = [];
  readonly received: { from: Endpoint; text: string }[] = [];
  readonly sent: Buffer[] = [];
  readonly links: RelayLinks;
  readonly #search: RelaySearch;
  #skippedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #changed: () => void = () => {};

  constructor(servers: readonly RelayServer[], ca?: string) {
    this.links = new RelayLinks((input) => this.feed(input), ca);
    this.#search = new RelaySearch({ servers, family: 4, random: randomBytes });
    this.feed({ type: "tick" });
  }

  get relayed(): Endpoint | undefined {
    return this.events.find((event) => event.event === "allocated")?.relayed;
  }

  send(text: string, to: Endpoint): void {
    this.feed({ type: "relay", to, bytes: Buffer.from(text) });
  }

  /** For the client, so much time has passed. */
  skip(ms: number): void {
    this.#skippedMs += ms;
    this.feed({ type: "tick" });
  }

  /** @throws when it does not become true within 5 s */
  async until(isTrue: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(5_000);
    while (!isTrue()) {
      await new Promise<void>((resolve, reject) => {
        this.#changed = resolve;
        deadline.onabort = () => reject(new Error(`waited in vain; events: ${JSON.stringify(this.events)}`));
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.links.closeAll();
  }

  feed(input: RelaySearchInput): void {
    for (const output of this.#search.handle(this.#now, input)) this.#perform(output);
    this.#changed();
  }

  #perform(output: RelaySearchOutput): void {
    switch (output.type) {
      case "data":
        this.received.push({ from: output.from, text: output.bytes.toString() });
        return;
      case "event":
        this.events.push(output.event);
        return;
      case "wake":
        clearTimeout(this.#timer);
        if (output.at < Number.POSITIVE_INFINITY)
          this.#timer = setTimeout(() => this.feed({ type: "tick" }), Math.max(0, output.at - this.#now));
        return;
      default:
        if (output.type === "send") this.sent.push(output.bytes);
        return this.links.perform(output);
    }
  }

  get #now(): number {
    return performance.now() + this.#skippedMs;
  }
}
