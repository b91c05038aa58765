import type { Duplex } from "node:stream";
import { PeerError, type PeerErrorCode } from "../errors.js";
import { Introduction, type IntroductionOutput, MAX_INTRODUCTION_BYTES } from "../handshake/introduction.js";
import { derivePsk } from "../handshake/psk.js";
import type { Role } from "../handshake/role.js";
import { deriveSessionKeys, type ExportSecret } from "../handshake/session-keys.js";
import { tlsFailure } from "../handshake/tls-failure.js";
import { type Identity, PUBLIC_KEY_BYTES } from "../identity.js";
import { SECRET_BYTES } from "../ticket.js";
import { FrameStream } from "./handshake/frame-stream.js";
import { type SecureChannel, secureChannel } from "./handshake/secure-channel.js";
import { startPskSession } from "./handshake/tls.js";

export interface HandshakeOptions {
  readonly role: Role;
  /**
   * Carries the bytes of TLS, and belongs to the handshake, then to its channel, which end it. It need not be trusted:
   * what is lost, changed, reordered or repeated on it ends the handshake in an error.
   */
  readonly duplex: Duplex;
  /** The ticket's secret, 16 bytes. */
  readonly secret: Uint8Array;
  /** One's own identity; the listener's is that of `listenerKey`. */
  readonly identity: Identity;
  /** The ticket's key, 32 bytes: who the listener must be. */
  readonly listenerKey: Uint8Array;
  /** Listener only: whether a connector with this proven key may come in. @default everybody with the ticket may */
  readonly allow?: (key: Uint8Array) => boolean;
  /** From the call to the channel, milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** Ends the handshake; it then rejects with code `aborted`. The channel does not listen to it. */
  readonly signal?: AbortSignal;
}

export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;

/** A whole handshake is some 500 bytes each way. What stays below this may come in any pieces. */
const MAX_BYTES = 16_384;
const MAX_CHUNKS = 1_024;

/**
 * Turns a byte stream through strangers' hands into a channel between the two who hold a ticket: TLS 1.3 with the ticket's secret
 * as pre-shared key and a fresh Diffie-Hellman exchange, and inside it each side's proof of its Ed25519 key. Two round trips.
 *
 * @throws {PeerError} `ticket-refused`, `identity-mismatch`, `not-allowed`, `handshake-failed`, `handshake-timeout`, `aborted`;
 *   the stream is destroyed then, at the latest when the other side was told
 * @throws {RangeError} at once: a secret or key of another length
 */
export function handshake(options: HandshakeOptions): Promise<SecureChannel> {
  const { role, duplex, secret, listenerKey, timeoutMs = DEFAULT_HANDSHAKE_TIMEOUT_MS, signal } = options;
  if (secret.length !== SECRET_BYTES || listenerKey.length !== PUBLIC_KEY_BYTES)
    throw new RangeError("these are not the parts of a ticket");
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const settle = () => {
      over.abort();
      clearTimeout(timer);
    };
    const fail = (error: PeerError) => {
      if (over.signal.aborted) return;
      settle();
      reject(error);
      frames.destroy();
      duplex.destroy();
    };
    const failAs = (code: PeerErrorCode, message: string) => fail(new PeerError(code, message));

    const tls = startPskSession(role, duplex, derivePsk(secret, listenerKey));
    const exportSecret: ExportSecret = (length, label) => tls.socket.exportKeyingMaterial(length, label, NO_CONTEXT);
    const introduction = new Introduction({ ...options, exportSecret });
    const perform = (output: IntroductionOutput) => {
      switch (output.type) {
        case "send":
          return frames.send("message", output.message);
        case "introduced":
          settle();
          return resolve(secureChannel(frames, output.peerKey, deriveSessionKeys(role, exportSecret)));
        case "failed":
          settle();
          reject(output.error);
          // Not at once: the other side is to learn why.
          return frames.close();
      }
    };
    const advance = (step: () => IntroductionOutput[]) => {
      try {
        for (const output of step()) perform(output);
      } catch (error) {
        // What the caller's `allow` or `sign` threw.
        failAs("handshake-failed", `the handshake failed: ${String(error)}`);
      }
    };
    const frames = new FrameStream(tls.socket, duplex, MAX_INTRODUCTION_BYTES, {
      onFrame: ({ kind, payload }) => {
        if (kind === "goodbye") failAs("handshake-failed", "the other side left during the handshake");
        else advance(() => introduction.handle(payload));
      },
      onEnd: (error) => fail(tlsFailure(role, error)),
    });
    tls.socket.once("secure", () => {
      if (tls.isProven()) advance(() => introduction.start());
      else failAs("handshake-failed", "the other side did not prove that it holds the ticket");
    });

    const timer = setTimeout(() => failAs("handshake-timeout", `no handshake within ${timeoutMs / 1_000} s`), timeoutMs);
    boundUntil(over.signal, duplex, () => failAs("handshake-failed", "the other side sends too much for a handshake"));
    const abort = () => failAs("aborted", "the handshake was aborted");
    signal?.addEventListener("abort", abort, { signal: over.signal });
    if (signal?.aborted) abort();
    // TLS would wait for it.
    if (duplex.destroyed || !duplex.readable) fail(tlsFailure(role, duplex.errored ?? undefined));
  });
}

const NO_CONTEXT = Buffer.alloc(0);

/** Watches what TLS reads from the stream. */
function boundUntil(over: AbortSignal, duplex: Duplex, onTooMuch: () => void): void {
  let bytes = 0;
  let chunks = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    chunks += 1;
    if (bytes > MAX_BYTES || chunks > MAX_CHUNKS) onTooMuch();
  };
  duplex.on("data", count);
  over.addEventListener("abort", () => duplex.off("data", count), { once: true });
}
