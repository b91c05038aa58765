export { createRendezvous, type Rendezvous, type RendezvousAddress, type RendezvousCounters } from "./driver/rendezvous.js";
export type { SignalStatistics } from "./driver/signal-sockets.js";
export { RendezvousError, type RendezvousErrorCode } from "./errors.js";
export type { RendezvousOptions } from "./options.js";
export type { ExternalIp } from "./served-addresses.js";
export { DEFAULT_SIGNAL_LIMITS, type SignalLimits } from "./signal/limits.js";
export type { BindingDrop } from "./stun/counters.js";
export { DEFAULT_REFLECTION_LIMITS, type ReflectionLimits } from "./stun/rate-limit.js";
