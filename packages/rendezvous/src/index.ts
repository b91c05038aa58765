export { createRendezvous, type Rendezvous, type RendezvousAddress, type RendezvousCounters } from "./driver/rendezvous.js";
export { RendezvousError, type RendezvousErrorCode } from "./errors.js";
export type { RendezvousOptions } from "./options.js";
export type { ExternalIp } from "./served-addresses.js";
export type { BindingDrop } from "./stun/counters.js";
export { DEFAULT_REFLECTION_LIMITS, type ReflectionLimits } from "./stun/rate-limit.js";
