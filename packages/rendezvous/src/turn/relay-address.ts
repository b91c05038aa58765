import type { PortPool } from "./port-pool.js";

/** An address of this host, as bound and as clients see it. */
export interface RelayHome {
  readonly address: string;
  readonly publicAddress: string;
}

/** An address that relayed addresses are made of, with its ports. */
export class RelayAddress implements RelayHome {
  readonly address: string;
  readonly publicAddress: string;
  readonly ports: PortPool;

  constructor({ address, publicAddress }: RelayHome, ports: PortPool) {
    this.address = address;
    this.publicAddress = publicAddress;
    this.ports = ports;
  }
}
