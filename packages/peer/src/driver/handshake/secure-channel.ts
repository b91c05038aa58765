import { PeerError } from "../../errors.js";
import { type Frame, MAX_FRAME_PAYLOAD } from "../../handshake/frame.js";
import type { SessionKeys } from "../../handshake/session-keys.js";
import type { FrameHandler, FrameStream } from "./frame-stream.js";

/** A connection to a peer whose key is proven, over which nobody else can read, change, repeat or drop a message unnoticed. */
export interface SecureChannel {
  /** Who the other side is: its Ed25519 public key, 32 bytes. */
  readonly peerKey: Uint8Array;
  readonly keys: SessionKeys;
  /**
   * Sends a message, whole and in order. Nothing happens once the channel is closed.
   *
   * @throws {RangeError} more than 64 KiB
   */
  send(message: Uint8Array): void;
  /**
   * Who receives the messages from now on; `undefined`: nobody for now, they are kept. Those that came before anybody wanted
   * them are delivered at once.
   */
  onMessage(receive: ((message: Uint8Array) => void) | undefined): void;
  /**
   * Fulfilled when the channel is closed, and never rejected. `undefined`: one of the two closed it.
   * An error, `channel-lost`: the link ended or was tampered with.
   */
  readonly closed: Promise<Error | undefined>;
  /** Says goodbye; what was sent before is still delivered. May be called again. */
  close(): void;
}

/** Messages, and bytes of them, that may wait for {@link SecureChannel.onMessage}. */
const MAX_WAITING = 256;
const MAX_WAITING_BYTES = 1024 * 1024;

/** The channel over a stream whose two ends are introduced. Takes over as its handler. */
export function secureChannel(frames: FrameStream, peerKey: Uint8Array, keys: SessionKeys): SecureChannel {
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let receive: ((message: Uint8Array) => void) | undefined;
  let resolveClosed: (error: Error | undefined) => void = () => {};
  const closed = new Promise<Error | undefined>((resolve) => {
    resolveClosed = resolve;
  });

  const close = () => {
    resolveClosed(undefined);
    frames.send("goodbye", new Uint8Array(0));
    frames.close();
  };
  const lose = (why: string) => {
    resolveClosed(new PeerError("channel-lost", why));
    frames.destroy();
  };
  const keep = (message: Uint8Array) => {
    waitingBytes += message.length;
    if (waiting.push(message) > MAX_WAITING || waitingBytes > MAX_WAITING_BYTES) lose("messages arrived that nobody wants");
  };
  const handler: FrameHandler = {
    onFrame({ kind, payload }: Frame) {
      if (kind === "goodbye") close();
      else if (receive) receive(payload);
      else keep(payload);
    },
    onEnd: (error) => lose(error ? describe(error) : "the link to the other side ended"),
  };
  frames.limit = MAX_FRAME_PAYLOAD;
  frames.handler = handler;

  return {
    peerKey,
    keys,
    send: (message) => frames.send("message", message),
    onMessage(wanted) {
      receive = wanted;
      // One at a time: a receiver may want only the first.
      while (receive && waiting.length > 0) {
        const message = waiting.shift() as Uint8Array;
        waitingBytes -= message.length;
        receive(message);
      }
    },
    closed,
    close,
  };
}

function describe(error: Error): string {
  const { reason = error.message } = error as { reason?: string };
  return error instanceof PeerError ? error.message : `the channel broke: ${reason.trim()}`;
}
