import { parseUrl } from "@awl/wire";
import { PeerError } from "./errors.js";
import { decodeWord, encodeWord, MAX_WORD_PAYLOAD, type WordFault } from "./ticket-word.js";

/** What a listener hands out: where to meet it, who it is, and the secret that lets one in. */
export interface Ticket {
  /** `ws://` or `wss://` URLs of rendezvous servers, one to eight, best first; as the URL standard writes them, without a lone last slash. */
  readonly servers: readonly string[];
  /** The listener's Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** The access secret, 16 bytes. Who has it may knock. */
  readonly secret: Uint8Array;
}

export const KEY_BYTES = 32;
export const SECRET_BYTES = 16;
export const MAX_SERVERS = 8;

/**
 * The ticket as one word to copy and paste: `awl1…`.
 *
 * Its payload: key, secret, number of servers (1 byte), and for each server the length of what follows (2 bytes, the highest bit
 * set for `wss`) and the URL without its scheme, in UTF-8.
 *
 * @throws {PeerError} `usage`: no or too many servers, a server that is no ws(s) URL, or URLs too long for one word
 */
export function encodeTicket({ servers, key, secret }: Ticket): string {
  if (key.length !== KEY_BYTES || secret.length !== SECRET_BYTES) throw new RangeError("a ticket has a key of 32 and a secret of 16 bytes");
  if (servers.length < 1 || servers.length > MAX_SERVERS) throw new PeerError("usage", `a ticket names 1 to ${MAX_SERVERS} servers`);
  const payload = Buffer.concat([key, secret, Buffer.of(servers.length), ...servers.map(encodeServer)]);
  if (payload.length > MAX_WORD_PAYLOAD) throw new PeerError("usage", "the server URLs are too long for a ticket");
  return encodeWord("awl1", payload);
}

/**
 * Reads a ticket, whatever the case of its letters and the white space around it.
 *
 * @throws {PeerError} `bad-ticket`, whose message says in a sentence what is wrong with it
 */
export function decodeTicket(text: string): Ticket {
  const payload = decodeWord("awl1", text);
  if (typeof payload === "string") throw new PeerError("bad-ticket", WHY[payload]);
  const ticket = parsePayload(Buffer.from(payload));
  if (!ticket) throw new PeerError("bad-ticket", "the ticket is malformed: its checksum fits, its content does not");
  return ticket;
}

/** The URL as tickets carry it; `undefined`: not one of a rendezvous. */
export function canonicalServer(text: string): string | undefined {
  const url = parseUrl(text);
  // A WebSocket URL has no fragment: RFC 6455 section 3.
  if (!url || (url.protocol !== "ws:" && url.protocol !== "wss:") || url.href.includes("#")) return undefined;
  if (url.search !== "") return url.href;
  // Also drops a question mark with nothing behind it.
  url.search = "";
  return url.pathname === "/" ? url.href.slice(0, -1) : url.href;
}

const WHY: Readonly<Record<WordFault, string>> = {
  foreign: "this is no ticket: a ticket is one word that begins with awl1",
  "cut-short": "the ticket is cut short: copy all of it",
  typo: "the ticket has a typo",
  newer: "the ticket needs a newer Awl",
};

const SECURE = 0x8000;

function encodeServer(text: string): Buffer {
  const url = canonicalServer(text);
  if (url === undefined) throw new PeerError("usage", `not the ws:// or wss:// URL of a rendezvous: '${text}'`);
  const secure = url.startsWith("wss:");
  const rest = Buffer.from(url.slice(schemeOf(secure).length));
  if (rest.length > MAX_WORD_PAYLOAD) throw new PeerError("usage", "the server URLs are too long for a ticket");
  const head = Buffer.alloc(2);
  head.writeUInt16BE(rest.length | (secure ? SECURE : 0));
  return Buffer.concat([head, rest]);
}

/** A checksum is no proof of good will: everything is checked. */
function parsePayload(bytes: Buffer): Ticket | undefined {
  const count = bytes[KEY_BYTES + SECRET_BYTES] ?? 0;
  if (count < 1 || count > MAX_SERVERS) return undefined;
  const servers: string[] = [];
  let at = KEY_BYTES + SECRET_BYTES + 1;
  while (servers.length < count) {
    if (at + 2 > bytes.length) return undefined;
    const head = bytes.readUInt16BE(at);
    const end = at + 2 + (head & ~SECURE);
    if (end > bytes.length) return undefined;
    const url = schemeOf((head & SECURE) !== 0) + bytes.toString("utf8", at + 2, end);
    if (canonicalServer(url) !== url) return undefined;
    servers.push(url);
    at = end;
  }
  if (at !== bytes.length) return undefined;
  const [key, secret] = [bytes.subarray(0, KEY_BYTES), bytes.subarray(KEY_BYTES, KEY_BYTES + SECRET_BYTES)];
  return { servers, key: Uint8Array.from(key), secret: Uint8Array.from(secret) };
}

function schemeOf(secure: boolean): string {
  return secure ? "wss://" : "ws://";
}
