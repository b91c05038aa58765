import { isPort } from "@awl/wire";
import { RendezvousError } from "./errors.js";
import { type ExternalIp, type ServedAddress, servedAddresses } from "./served-addresses.js";
import { DEFAULT_SIGNAL_LIMITS, type SignalLimits } from "./signal/limits.js";
import { DEFAULT_REFLECTION_LIMITS, type ReflectionLimits } from "./stun/rate-limit.js";

/** What `createRendezvous` takes. */
export interface RendezvousOptions {
  /**
   * Addresses of this host to serve. Each is bound separately, because an answer must leave from the address that was
   * asked: `0.0.0.0` and `::` are refused.
   * @default every address of this host except for link-local IPv6 ones
   */
  readonly hosts?: readonly string[] | undefined;
  /** UDP: STUN. TCP: HTTP. 0: any that is free on all addresses. @default 3478 */
  readonly port?: number | undefined;
  /** The other UDP port of RFC 5780. 0: any that is free on all addresses. @default 3479 */
  readonly altPort?: number | undefined;
  /**
   * The other address of RFC 5780, served as well.
   * @default with two or more `hosts` of a family, its second; without `hosts`, a second global address, if there is one
   */
  readonly altHost?: string | undefined;
  /** The public addresses of a host behind a 1:1 NAT. @default none */
  readonly externalIps?: readonly ExternalIp[] | undefined;
  /** How often CHANGE-REQUEST and RESPONSE-PORT are obeyed. @default DEFAULT_REFLECTION_LIMITS */
  readonly reflectionLimits?: Partial<ReflectionLimits> | undefined;
  /** How much of signalling there may be. @default DEFAULT_SIGNAL_LIMITS */
  readonly signalLimits?: Partial<SignalLimits> | undefined;
  /** How often signalling connections are pinged, milliseconds; one that has not answered by the next ping is dropped. @default 20000 */
  readonly pingMs?: number | undefined;
}

/** The same, complete and checked. */
export interface FullOptions {
  readonly addresses: readonly ServedAddress[];
  readonly port: number;
  readonly altPort: number;
  readonly reflectionLimits: ReflectionLimits;
  readonly signalLimits: SignalLimits;
  readonly pingMs: number;
}

export const DEFAULT_PORT = 3478;
export const DEFAULT_ALT_PORT = 3479;
export const DEFAULT_PING_MS = 20_000;

/**
 * Completes and checks the options.
 *
 * @param hostAddresses every address of this host, in any order
 * @throws {RendezvousError} `bad-option`
 */
export function fullOptions(options: RendezvousOptions, hostAddresses: readonly string[]): FullOptions {
  const port = checkedPort("--port", options.port ?? DEFAULT_PORT);
  const altPort = checkedPort("--alt-port", options.altPort ?? DEFAULT_ALT_PORT);
  if (port === altPort && port !== 0) {
    throw new RendezvousError("bad-option", `--alt-port must differ from --port: both are ${port}`);
  }
  return {
    addresses: servedAddresses(options.hosts ?? [], options.altHost, options.externalIps ?? [], hostAddresses),
    port,
    altPort,
    reflectionLimits: checkedLimits("reflectionLimits", DEFAULT_REFLECTION_LIMITS, options.reflectionLimits),
    signalLimits: checkedLimits("signalLimits", DEFAULT_SIGNAL_LIMITS, options.signalLimits),
    pingMs: checkedPositive("pingMs", options.pingMs ?? DEFAULT_PING_MS),
  };
}

function checkedPort(option: string, port: number): number {
  if (!isPort(port)) throw new RendezvousError("bad-option", `${option} takes a port from 0 to 65535, not ${port}`);
  return port;
}

function checkedLimits<T extends { readonly [K in keyof T]: number }>(option: string, defaults: T, limits: Partial<T> = {}): T {
  const full = { ...defaults, ...limits };
  for (const [name, value] of Object.entries<number>(full)) checkedPositive(`${option}.${name}`, value);
  return full;
}

function checkedPositive(option: string, value: number): number {
  if (!(value > 0)) throw new RendezvousError("bad-option", `${option} must be above 0, not ${value}`);
  return value;
}
