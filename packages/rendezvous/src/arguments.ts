import { parseUrl, splitHostPort } from "@awl/wire";
import { RendezvousError } from "./errors.js";
import type { RendezvousOptions } from "./options.js";
import type { ExternalIp } from "./served-addresses.js";
import type { PortRange } from "./turn/turn-server.js";

/** The options of the command line as they were typed; an absent one is `undefined`. */
export interface Arguments {
  readonly host?: readonly string[];
  readonly port?: string;
  readonly altPort?: string;
  readonly altHost?: string;
  readonly externalIp?: readonly string[];
  /** `false`: --no-relay. */
  readonly relay: boolean;
  readonly relayPorts?: string;
  readonly turn?: readonly string[];
  readonly turnSecret?: readonly string[];
  readonly token?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly nats?: string;
  readonly allowRelayTo?: readonly string[];
}

/**
 * Turns what was typed into options.
 *
 * @throws {RendezvousError} `bad-option` for a malformed or contradictory one, then `not-built`
 */
export function parseArguments(args: Arguments): RendezvousOptions {
  const options = {
    hosts: args.host,
    port: args.port === undefined ? undefined : number("--port", args.port),
    altPort: args.altPort === undefined ? undefined : number("--alt-port", args.altPort),
    altHost: args.altHost,
    externalIps: args.externalIp?.map(externalIp),
    relay: args.relay ? undefined : false,
    relayPorts: args.relayPorts === undefined ? undefined : portRange(args.relayPorts),
    turnSecrets: args.turnSecret,
    allowRelayTo: args.allowRelayTo,
    tls: args.tlsCert === undefined || args.tlsKey === undefined ? undefined : { certFile: args.tlsCert, keyFile: args.tlsKey },
  };
  checkSyntax(args);
  checkContradictions(args);
  checkBuilt(args);
  return options;
}

function number(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw wrong(option, "a port from 0 to 65535", text);
}

/** PUB[/LOCAL]; the addresses themselves are checked with all the others. */
function externalIp(text: string): ExternalIp {
  const [publicAddress = "", localAddress, ...rest] = text.split("/");
  if (rest.length > 0) throw wrong("--external-ip", "PUB or PUB/LOCAL", text);
  return { publicAddress, localAddress };
}

function portRange(text: string): PortRange {
  const [, low = "0", high = "0"] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  const valid = Number(low) > 0 && Number(low) <= Number(high) && Number(high) <= 0xffff;
  if (!valid) throw wrong("--relay-ports", "a range such as 49152-65535", text);
  return { low: Number(low), high: Number(high) };
}

function checkSyntax(args: Arguments): void {
  args.turn?.forEach(checkTurnUri);
  for (const secret of args.turnSecret ?? []) checkNotEmpty("--turn-secret", secret);
  checkNotEmpty("--token", args.token);
  checkNotEmpty("--tls-cert", args.tlsCert);
  checkNotEmpty("--tls-key", args.tlsKey);
  if (args.nats !== undefined && !isNatsUrl(args.nats)) throw wrong("--nats", "a nats:// or tls:// URL", args.nats);
}

/** RFC 7065, with our `weight` among the query's parameters. */
function checkTurnUri(text: string): void {
  const [, host = "", query = ""] = /^turns?:([^?]+)(?:\?(.+))?$/.exec(text) ?? [];
  const parameters = query === "" ? [] : query.split("&");
  const known = parameters.every((parameter) => /^(transport=(udp|tcp)|weight=[1-9]\d{0,4})$/.test(parameter));
  const names = new Set(parameters.map((parameter) => parameter.split("=")[0]));
  const valid = isHostPort(host) && known && names.size === parameters.length;
  if (!valid) throw wrong("--turn", "turn:HOST[:PORT][?transport=udp|tcp][&weight=N]", text);
}

function isHostPort(text: string): boolean {
  const { host, port } = splitHostPort(text) ?? {};
  return host !== undefined && (port === undefined || (Number(port) > 0 && Number(port) <= 0xffff));
}

function checkNotEmpty(option: string, text: string | undefined): void {
  if (text === "") throw new RendezvousError("bad-option", `${option} must not be empty`);
}

function isNatsUrl(text: string): boolean {
  const url = parseUrl(text);
  return url !== undefined && ["nats:", "tls:", "ws:", "wss:"].includes(url.protocol) && url.hostname !== "";
}

function checkContradictions(args: Arguments): void {
  if ((args.tlsCert === undefined) !== (args.tlsKey === undefined)) {
    throw new RendezvousError("bad-option", "--tls-cert and --tls-key need each other");
  }
  if (args.relay) return;
  if (args.relayPorts !== undefined) throw new RendezvousError("bad-option", "--no-relay contradicts --relay-ports");
  if (args.allowRelayTo !== undefined) throw new RendezvousError("bad-option", "--no-relay contradicts --allow-relay-to");
}

function checkBuilt(args: Arguments): void {
  const notBuilt: readonly (readonly [string, unknown])[] = [
    ["--turn", args.turn],
    ["--token", args.token],
    ["--nats", args.nats],
  ];
  const asked = notBuilt.find(([, value]) => value !== undefined);
  if (asked) throw new RendezvousError("not-built", `${asked[0]} is not built yet`);
}

function wrong(option: string, wanted: string, text: string): RendezvousError {
  return new RendezvousError("bad-option", `${option} takes ${wanted}, not '${text}'`);
}
