export { classicName, type Filtering, type Mapping, type NatType } from "./behavior.js";
export { DEFAULT_TIMEOUT_MS, type ProbeOptions, probe } from "./driver/probe.js";
export { UdpSockets } from "./driver/udp-sockets.js";
export { NatProbeError, type NatProbeErrorCode } from "./errors.js";
export type { Evidence, Obstacle } from "./machine/evidence.js";
export { Prober, type ProberInput, type ProberOptions, type ProberOutput } from "./machine/prober.js";
export { makeReport, type Report } from "./report.js";
