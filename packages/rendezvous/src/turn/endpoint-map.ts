import type { Endpoint } from "@awl/wire";

/** A map by transport address: two lookups, by port and then by address, and no text is built for either. */
export class EndpointMap<T> {
  readonly #ports = new Map<number, Map<string, T>>();

  get({ address, port }: Endpoint): T | undefined {
    return this.#ports.get(port)?.get(address);
  }

  set({ address, port }: Endpoint, value: T): void {
    const addresses = this.#ports.get(port);
    if (addresses) addresses.set(address, value);
    else this.#ports.set(port, new Map([[address, value]]));
  }

  delete({ address, port }: Endpoint): void {
    const addresses = this.#ports.get(port);
    addresses?.delete(address);
    if (addresses?.size === 0) this.#ports.delete(port);
  }

  get isEmpty(): boolean {
    return this.#ports.size === 0;
  }
}
