import type { PacketWriter } from "./packet-writer.js";
import type { Path } from "./path.js";

/** Whoever puts frames into packets, and hears what became of them. */
export interface FrameOwner {
  /** The peer has it. */
  delivered(frame: SentFrame): void;
  /** It was lost, or seems to be: `delivered` may still follow. */
  lost(frame: SentFrame): void;
}

/** Who has something to say beside data. */
export interface FrameSource extends FrameOwner {
  /** Writes it all. @returns whether there was room for it */
  write(writer: PacketWriter, packet: SentPacket): boolean;
}

/** What must be remembered of a frame that is on its way. Only of a STREAM frame there is more than its type. */
export class SentFrame {
  readonly owner: FrameOwner;
  readonly type: number;
  readonly offset: number;
  readonly length: number;
  readonly fin: boolean;

  constructor(owner: FrameOwner, type: number, offset = 0, length = 0, fin = false) {
    this.owner = owner;
    this.type = type;
    this.offset = offset;
    this.length = length;
    this.fin = fin;
  }
}

/** - `flying`: neither acknowledged nor given up. - `lost`: given up; an acknowledgement that still comes was late. */
export type PacketState = "flying" | "lost" | "acked";

/** A packet on its way that the peer must acknowledge. */
export class SentPacket {
  readonly number: number;
  readonly path: Path;
  readonly sentAt: number;
  readonly frames: SentFrame[] = [];
  /** Whole packet, bytes. */
  size = 0;
  state: PacketState = "flying";
  /** Tries out a size: its loss says nothing of congestion (RFC 8899 section 3, RFC 9000 section 14.4). */
  isSizeProbe = false;
  /** What it carried was sent again, though it is not known to be lost. */
  isRepeated = false;

  /** What the path's {@link DeliveryRate} knew when it was sent. */
  delivered = 0;
  deliveredAt = 0;
  firstSentAt = 0;
  lostBefore = 0;
  flyingThen = 0;
  isAppLimited = false;

  constructor(number: number, path: Path, sentAt: number) {
    this.number = number;
    this.path = path;
    this.sentAt = sentAt;
  }
}
