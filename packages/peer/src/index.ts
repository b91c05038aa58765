export { PeerError, type PeerErrorCode } from "./errors.js";
