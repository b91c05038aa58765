import { type Cidr, isPort, parseCidr, WireError } from "@awl/wire";
import { RendezvousError } from "./errors.js";
import { type ExternalIp, type ServedAddress, servedAddresses } from "./served-addresses.js";
import { DEFAULT_SIGNAL_LIMITS, type SignalLimits } from "./signal/limits.js";
import { DEFAULT_REFLECTION_LIMITS, type ReflectionLimits } from "./stun/rate-limit.js";
import { DEFAULT_TURN_LIMITS, type TurnLimits } from "./turn/limits.js";
import type { PortRange } from "./turn/turn-server.js";

/** What `createRendezvous` takes. */
export interface RendezvousOptions {
  /**
   * Addresses of this host to serve. Each is bound separately, because an answer must leave from the address that was
   * asked: `0.0.0.0` and `::` are refused.
   * @default every address of this host except for link-local IPv6 ones
   */
  readonly hosts?: readonly string[] | undefined;
  /** UDP: STUN and TURN. TCP: HTTP, signalling and TURN. 0: any that is free on all addresses. @default 3478 */
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
  /** Whether to relay. @default true */
  readonly relay?: boolean | undefined;
  /** The UDP ports of relayed addresses. @default 49152-65535 */
  readonly relayPorts?: PortRange | undefined;
  /**
   * Secrets of time-limited TURN credentials: the first one signs, all are accepted.
   * @default one that only this process knows
   */
  readonly turnSecrets?: readonly string[] | undefined;
  /**
   * Ranges that the relay may reach though they are denied by default, such as `10.0.0.0/8`. Loopback and link-local addresses are
   * opened only by a range that lies wholly among them; an address of this host only by its own name. @default none
   */
  readonly allowRelayTo?: readonly string[] | undefined;
  /** How much of relaying there may be. @default DEFAULT_TURN_LIMITS */
  readonly turnLimits?: Partial<TurnLimits> | undefined;
  /** With it, the TCP port speaks TLS too. @default none */
  readonly tls?: CertificateFiles | undefined;
}

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The same, complete and checked. */
export interface FullOptions {
  readonly addresses: readonly ServedAddress[];
  readonly port: number;
  readonly altPort: number;
  readonly reflectionLimits: ReflectionLimits;
  readonly signalLimits: SignalLimits;
  readonly pingMs: number;
  /** `undefined`: there is to be no relay. */
  readonly relay: RelayOptions | undefined;
  readonly tls: CertificateFiles | undefined;
}

export interface RelayOptions {
  readonly ports: PortRange;
  /** None: one is to be made up. */
  readonly secrets: readonly string[];
  readonly allowed: readonly Cidr[];
  readonly limits: TurnLimits;
}

export const DEFAULT_PORT = 3478;
export const DEFAULT_ALT_PORT = 3479;
export const DEFAULT_PING_MS = 20_000;
/** RFC 6335 section 6: the dynamic ports, which RFC 8656 section 7.2 recommends. */
export const DEFAULT_RELAY_PORTS: PortRange = { low: 49_152, high: 65_535 };

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
    relay: options.relay === false ? undefined : relayOptions(options),
    tls: options.tls,
  };
}

function relayOptions({
  relayPorts = DEFAULT_RELAY_PORTS,
  turnSecrets = [],
  allowRelayTo = [],
  turnLimits,
}: RendezvousOptions): RelayOptions {
  const { low, high } = relayPorts;
  if (!isPort(low) || !isPort(high) || low === 0 || low > high) {
    throw new RendezvousError("bad-option", `--relay-ports takes a range such as 49152-65535, not '${low}-${high}'`);
  }
  if (turnSecrets.includes("")) throw new RendezvousError("bad-option", "--turn-secret must not be empty");
  return {
    ports: relayPorts,
    secrets: turnSecrets,
    allowed: allowRelayTo.map(openedRange),
    limits: checkedLimits("turnLimits", DEFAULT_TURN_LIMITS, turnLimits),
  };
}

function openedRange(text: string): Cidr {
  try {
    return parseCidr(text);
  } catch (error) {
    if (error instanceof WireError) throw new RendezvousError("bad-option", `--allow-relay-to: ${error.message}`);
    throw error;
  }
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
