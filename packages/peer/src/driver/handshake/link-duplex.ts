import { Duplex } from "node:stream";
import { PeerError } from "../../errors.js";

export interface LinkDuplexOptions {
  /** Sends bytes over the link, in order. At most `maxFrame` of them at a time, in memory of their own. */
  readonly write: (bytes: Uint8Array) => void;
  /** Nothing will be written any more. Called once. */
  readonly onClose?: () => void;
  /** The longest piece that the link carries, bytes. @default 16384 */
  readonly maxFrame?: number;
  /** How much may arrive before it is read, bytes; more is an error. @default 262144 */
  readonly maxBuffered?: number;
}

/** The link's side of a {@link linkDuplex}. */
export interface LinkDuplex {
  /** The byte stream. */
  readonly duplex: Duplex;
  /** Bytes arrived over the link. */
  push(bytes: Uint8Array): void;
  /** Nothing more will arrive: at its end, or because of an error. */
  end(error?: Error): void;
}

/** A byte stream over whatever carries frames in order: what a handshake runs over when signalling forwards it. */
export function linkDuplex({ write, onClose, maxFrame = 16_384, maxBuffered = 262_144 }: LinkDuplexOptions): LinkDuplex {
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      try {
        // A copy: TLS uses its memory again.
        for (let at = 0; at < chunk.length; at += maxFrame) write(Uint8Array.from(chunk.subarray(at, at + maxFrame)));
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
    destroy(error, done) {
      onClose?.();
      done(error);
    },
  });
  // Whoever uses the stream hears of errors; if nobody does any more, they are no reason to end the process.
  duplex.on("error", () => {});
  let ended = false;
  return {
    duplex,
    push(bytes) {
      if (duplex.destroyed || ended) return;
      if (duplex.readableLength + bytes.length > maxBuffered) {
        duplex.destroy(new PeerError("channel-lost", "the other side sends faster than it is read"));
      } else duplex.push(bytes);
    },
    end(error) {
      if (error) duplex.destroy(error);
      else if (!duplex.destroyed && !ended) duplex.push(null);
      ended = true;
    },
  };
}
