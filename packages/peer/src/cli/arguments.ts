import { isPort, parseUrl, splitHostPort } from "@awl/wire";
import { PeerError } from "../errors.js";

/** Parsers of one argument's text, for commander. Each throws {@link PeerError} `usage`. */

/** For an option of which the second would contradict the first. */
export function once<T>(option: string, parse: (option: string, text: string) => T): (text: string, previous: T | undefined) => T {
  return (text, previous) => {
    if (previous !== undefined) throw new PeerError("usage", `${option} is given twice`);
    return parse(option, text);
  };
}

/** For an option that may be repeated: commander's variadic options would swallow the ticket behind them. */
export function each<T>(
  option: string,
  parse: (option: string, text: string) => T,
): (text: string, previous?: readonly T[]) => readonly T[] {
  return (text, previous = []) => [...previous, parse(option, text)];
}

/** Anything but nothing: a file, a key, a ticket. */
export function word(option: string, text: string): string {
  if (text.trim() === "") throw new PeerError("usage", `${option} must not be empty`);
  return text;
}

/** The URL of a rendezvous. */
export function serverUrl(option: string, text: string): string {
  const protocol = parseUrl(text)?.protocol;
  if (protocol === "ws:" || protocol === "wss:") return text;
  throw wrong(option, "a ws:// or wss:// URL", text);
}

/** HOST:PORT */
export function target(option: string, text: string): string {
  const { port } = splitHostPort(text) ?? {};
  if (port !== undefined && isTargetPort(port)) return text;
  throw wrong(option, "HOST:PORT", text);
}

/** [BIND:]PORT:HOST:PORT; IPv6 addresses in brackets. */
export function forwarding(option: string, text: string): string {
  const [, , listen = "", host = "", port = ""] = FORWARDING.exec(text) ?? [];
  // 0 listens on any free port; nothing can be sent to it.
  if (listen !== "" && isPort(Number(listen)) && splitHostPort(host) && isTargetPort(port)) return text;
  throw wrong(option, "[BIND:]PORT:HOST:PORT", text);
}

export function count(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw wrong(option, "a whole number above 0", text);
}

/** Seconds, with a fraction if need be. */
export function seconds(option: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0 && value <= MAX_SECONDS) return value;
  throw wrong(option, "seconds above 0", text);
}

/** An address or name before a colon, IPv6 in brackets. */
const HOST = String.raw`\[[^\][]+\]|[^:\][\s]+`;
const FORWARDING = new RegExp(`^(?:(${HOST}):)?(\\d{1,5}):(${HOST}):(\\d{1,5})$`);

/** A day; and well inside what a timer can count. */
const MAX_SECONDS = 86_400;

function isTargetPort(text: string): boolean {
  return isPort(Number(text)) && Number(text) > 0;
}

function wrong(option: string, wanted: string, text: string): PeerError {
  return new PeerError("usage", `${option} takes ${wanted}, not '${text}'`);
}
