export { type ConnectOptions, Connector, type ConnectorEvents } from "./driver/connector.js";
export { ephemeralIdentity, type KeptIdentity, loadOrCreateIdentity, rotateSecret } from "./driver/identity-file.js";
export { Listener, type ListenerEvents, type ListenerSession, type ListenOptions } from "./driver/listener.js";
export { PeerError, type PeerErrorCode } from "./errors.js";
export { formatKey, type Identity, identityFromSeed, parseKey } from "./identity.js";
export { Session } from "./session/session.js";
export type {
  PathEvent,
  ReasonEvent,
  SessionCounters,
  SessionEvent,
  SessionInput,
  SessionOptions,
  SessionOutput,
} from "./session/session-io.js";
export { decodeTicket, encodeTicket, type Ticket } from "./ticket.js";
