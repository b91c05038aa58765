import { Bbr } from "./bbr.js";
import { DatagramSize } from "./datagram-size.js";
import { DeliveryRate } from "./delivery-rate.js";
import { Pacer } from "./pacer.js";
import { RttEstimator } from "./rtt.js";
import type { PathInfo } from "./transport-io.js";

/** All that is known of one path, and of no other: RFC 9000 section 9.4 asks for that. */
export class Path {
  readonly rtt: RttEstimator;
  readonly rate = new DeliveryRate();
  readonly congestion: Bbr;
  readonly pacer: Pacer;
  readonly size: DatagramSize;
  /** Bytes on their way that are neither acknowledged nor given up. */
  inFlight = 0;
  /** When what was sent on it is given up; infinity while it is in use. */
  giveUpAt = Number.POSITIVE_INFINITY;

  constructor(now: number, info: PathInfo, random: () => number) {
    this.rtt = new RttEstimator(info.rttMs);
    this.congestion = new Bbr(now, info.rttMs, random);
    this.pacer = new Pacer(now);
    this.size = new DatagramSize(info);
  }
}
