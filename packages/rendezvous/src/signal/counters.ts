import { SIGNAL_ERRORS, type SignalErrorCode } from "@awl/wire";

/** What happened in signalling. All fields only grow. */
export class SignalCounters {
  /** Connections, those refused at once included. */
  connected = 0;
  disconnected = 0;
  /** Messages and frames from clients. */
  received = 0;
  /** Rooms registered, again or for the first time. */
  registered = 0;
  /** Knocks that made a link. */
  linked = 0;
  /** Links whose knocker the listener has let in: their two sides were given relays. */
  admitted = 0;
  forwarded = { frames: 0, bytes: 0 };
  /** Frames for a link that was not there, or no longer. */
  droppedFrames = 0;
  /** Errors sent, by code. */
  readonly errors = Object.fromEntries(Object.keys(SIGNAL_ERRORS).map((code) => [code, 0])) as Record<SignalErrorCode, number>;
}
