import { linkDuplex } from "./handshake/link-duplex.js";
import type { SecureChannel } from "./handshake/secure-channel.js";
import { type HandshakeOptions, handshake } from "./handshake.js";
import type { SignalLink } from "./signal-client.js";

/**
 * The handshake over a link of a rendezvous'. The link ends with the channel.
 *
 * @throws {PeerError} as `handshake` does
 */
export function secureLink(link: SignalLink, options: Omit<HandshakeOptions, "duplex">): Promise<SecureChannel> {
  const { duplex, push, end } = linkDuplex({ write: (bytes) => link.send(bytes), onClose: () => link.close() });
  link.onData(push);
  link.onClose(() => end());
  return handshake({ ...options, duplex });
}

/** The next message of a channel; `undefined` if the channel closes, or too much time passes, before there is one. */
export function nextMessage(channel: SecureChannel, timeoutMs: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    void channel.closed.then(() => resolve(undefined)).finally(() => clearTimeout(timer));
    channel.onMessage((message) => {
      clearTimeout(timer);
      // What follows is for whoever comes next.
      channel.onMessage(undefined);
      resolve(message);
    });
  });
}
