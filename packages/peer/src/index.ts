export { type ConnectOptions, Connector, type ConnectorEvents } from "./driver/connector.js";
export { ephemeralIdentity, type KeptIdentity, loadOrCreateIdentity, rotateSecret } from "./driver/identity-file.js";
export { Listener, type ListenerEvents, type ListenerSession, type ListenOptions } from "./driver/listener.js";
export {
  PeerConnection,
  type PeerConnectionEvents,
  type PeerConnectionOptions,
} from "./driver/peer-connection.js";
export type { PeerStream } from "./driver/peer-stream.js";
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
export type { Stream } from "./transport/stream.js";
export { Transport } from "./transport/transport.js";
export type {
  CloseReason,
  PathInfo,
  TransportEvent,
  TransportOptions,
  TransportRole,
  TransportStats,
} from "./transport/transport-io.js";
