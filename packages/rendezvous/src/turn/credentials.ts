import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

/** What the holder of a credential may do. */
export interface Grant {
  /** Whose allocations are counted together, and whose allocation a later credential may renew. */
  readonly owner: string;
  /** Only allocations with the same pair exchange data inside this server; `undefined`: those of an operator's own credentials. */
  readonly pair: string | undefined;
  /** The only addresses to relay to, besides the pair's own relayed ones; `undefined`: any that the address policy allows. */
  readonly peers: ReadonlySet<string> | undefined;
  /** Bytes to relay, both directions together. */
  readonly bytes: number;
}

/** What a credential is issued for. */
export interface CredentialRequest {
  /** Who of the pair it is for: 1 to 32 letters, digits, `.`, `-` or `_`. */
  readonly user: string;
  /** The same for both sides, and no other pair's: of the same characters. */
  readonly pair: string;
  /** Canonical addresses that were observed for the pair, 6 at most. */
  readonly peers: readonly string[];
  /** How many bytes it may relay, both directions together. */
  readonly bytes: number;
  /** How long it is good for. @default 3600 */
  readonly seconds?: number;
}

/**
 * Time-limited credentials as coturn and the WebRTC world know them ("TURN REST API"): the username is `expiry[:user]` in Unix
 * seconds, the password the base64 of HMAC-SHA1(secret, username). So nothing needs to be remembered of them, here or on
 * any other relay that has the secret.
 *
 * What a pair's credential is limited to stands in its username, sealed: the password proves that we wrote it, and nobody on
 * the line reads in one side's username where the other side is.
 */
export class Credentials {
  readonly #secrets: readonly Secret[];

  /** `secrets`: the first one signs, all are accepted: to change a secret, put the new one first and drop the old one later. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map((text) => ({ text, sealKey: derivedKey(text, "seal") }));
  }

  /**
   * @param nonce 12 bytes that nobody can predict
   * @throws {RangeError} for a request that is not as {@link CredentialRequest} says
   */
  issue(unixTime: number, nonce: Uint8Array, request: CredentialRequest): { username: string; password: string } {
    const secret = this.#secrets[0];
    if (!secret) throw new RangeError("no secret to issue credentials with");
    const expiry = Math.trunc(unixTime) + (request.seconds ?? DEFAULT_SECONDS);
    const username = `${expiry}:${SEALED}${seal(secret, nonce, checked(request))}`;
    return { username, password: passwordOf(secret, username) };
  }

  /** The moment at which a username expires, Unix seconds; `undefined` if it is not of this kind. */
  static expiry(username: string): number | undefined {
    const [, digits] = USERNAME.exec(username) ?? [];
    return digits === undefined ? undefined : Number(digits);
  }

  /** What the holder of this username may do, if a password that goes with it `isRight`. */
  grant(username: string, isRight: (password: string) => boolean): Grant | undefined {
    const secret = this.#secrets.find((one) => isRight(passwordOf(one, username)));
    if (!secret) return undefined;
    const [, , user = ""] = USERNAME.exec(username) ?? [];
    if (user.startsWith(SEALED)) return unseal(secret, user.slice(SEALED.length));
    // Who has no name shares with nobody, for then everybody without one would be one user.
    return { owner: `rest ${user || username}`, pair: undefined, peers: undefined, bytes: Number.POSITIVE_INFINITY };
  }
}

/** A key for another purpose, which tells nothing about the secret. */
export function derivedKey(secret: string, purpose: string): Buffer {
  return createHmac("sha256", secret).update(`awl turn ${purpose}`).digest();
}

interface Secret {
  readonly text: string;
  readonly sealKey: Buffer;
}

const DEFAULT_SECONDS = 3600;
const MAX_PEERS = 6;
const USERNAME = /^(\d{1,12})(?::(.*))?$/s;
const NAME = /^[\w.-]{1,32}$/;
/** What the user part of a pair's credential begins with. */
const SEALED = "~";
const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function passwordOf({ text }: Secret, username: string): string {
  return createHmac("sha1", text).update(username).digest("base64");
}

function checked(request: CredentialRequest): CredentialRequest {
  const { user, pair, peers, bytes } = request;
  if (!NAME.test(user) || !NAME.test(pair)) throw new RangeError(`not the names of a user and a pair: ${user}, ${pair}`);
  if (peers.length > MAX_PEERS) throw new RangeError(`${peers.length} addresses are too many for a credential`);
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new RangeError(`not a number of bytes: ${bytes}`);
  return request;
}

/** JSON of an array: it has to fit into a username, which has 508 bytes. */
function seal({ sealKey }: Secret, nonce: Uint8Array, { user, pair, peers, bytes }: CredentialRequest): string {
  const cipher = createCipheriv(CIPHER, sealKey, nonce);
  const text = cipher.update(JSON.stringify([user, pair, bytes, ...peers]), "utf8");
  return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

function unseal({ sealKey }: Secret, text: string): Grant | undefined {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, sealKey, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const sealed = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    const [user, pair, quota, ...peers] = JSON.parse(sealed.toString("utf8")) as [string, string, number, ...string[]];
    return { owner: `pair ${pair} ${user}`, pair, peers: new Set(peers), bytes: quota };
  } catch {
    // Signed with our secret, and yet not sealed by us: another service made this name up.
    return undefined;
  }
}
