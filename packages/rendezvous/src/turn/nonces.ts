import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Nonces that nobody has to remember: the time, and an HMAC over the time and whom it is for.
 *
 * A nonce is for an address (a stranger's, who gets it with a 401) or for a username (issued together with the credential,
 * so that the first request already succeeds). Each begins with RFC 8489's nonce cookie: section 9.2.
 */
export class Nonces {
  readonly #key: Uint8Array;

  /** `key`: secret. Servers with the same key take each other's nonces. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** `unixTime`: seconds. */
  forAddress(unixTime: number, address: string): string {
    return this.#make(unixTime, ADDRESS + address);
  }

  forUser(unixTime: number, username: string): string {
    return this.#make(unixTime, USER + username);
  }

  /** Whether it is one of ours, for this address or this username, and not too old. */
  isValid(unixTime: number, nonce: string, address: string, username: string): boolean {
    if (nonce.length !== COOKIE.length + BODY_LENGTH || !nonce.startsWith(COOKIE)) return false;
    const body = Buffer.from(nonce.slice(COOKIE.length), "base64url");
    if (body.length !== TIME_BYTES + MAC_BYTES) return false;
    const madeAt = body.readUInt32BE(0);
    // Of the near future, too: clocks step, and other servers have other clocks.
    if (Math.abs(unixTime - madeAt) > NONCE_SECONDS) return false;
    return this.#isMac(body, ADDRESS + address) || this.#isMac(body, USER + username);
  }

  #make(unixTime: number, subject: string): string {
    const body = Buffer.alloc(TIME_BYTES + MAC_BYTES);
    body.writeUInt32BE(Math.trunc(unixTime) >>> 0, 0);
    body.set(this.#mac(body, subject), TIME_BYTES);
    return COOKIE + body.toString("base64url");
  }

  #isMac(body: Buffer, subject: string): boolean {
    return timingSafeEqual(body.subarray(TIME_BYTES), this.#mac(body, subject));
  }

  #mac(body: Buffer, subject: string): Buffer {
    return createHmac("sha256", this.#key).update(body.subarray(0, TIME_BYTES)).update(subject).digest().subarray(0, MAC_BYTES);
  }
}

/** RFC 8489 section 5 recommends that a nonce be good for an hour at most. */
const NONCE_SECONDS = 3600;

/** RFC 8489 section 9.2: a fixed beginning, then 24 bits of security features in base64; here bit 0 alone, password algorithms. */
const COOKIE = `obMatJos2${Buffer.from([0x80, 0, 0]).toString("base64")}`;

const ADDRESS = "address ";
const USER = "user ";
const TIME_BYTES = 4;
/** Short, for it makes the answer to strangers longer; 64 bits that cannot be tried offline. */
const MAC_BYTES = 8;
/** Base64 of both, without padding. */
const BODY_LENGTH = 16;
