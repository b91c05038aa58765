/**
 * The peers' side of signalling. A listener stays registered ({@link SignalListener}), a connector knocks at its room
 * ({@link knock}), and both get a link to the other: bytes that a rendezvous forwards, in order, and that it could read
 * and change: what goes over a link has to protect itself.
 */

export { type Knocked, type KnockOptions, knock } from "./signal-client-knock.js";
export type { SignalLink, SignalLinkEnd } from "./signal-client-link.js";
export { SignalListener, type SignalListenerEvents, type SignalListenerOptions } from "./signal-client-listener.js";
export type { RendezvousView, SignalTimings } from "./signal-client-options.js";
