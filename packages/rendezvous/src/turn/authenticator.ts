import {
  type AttributeValue,
  type IntegrityAlgorithm,
  longTermKey,
  MessageIntegrity,
  MessageIntegritySha256,
  Nonce,
  PasswordAlgorithm,
  type PasswordAlgorithmChoice,
  PasswordAlgorithms,
  Realm,
  type StunMessage,
  Username,
  verifyIntegrity,
} from "@awl/wire";
import { Credentials, type Grant } from "./credentials.js";
import type { Nonces } from "./nonces.js";

/** Who sent a request, proven. */
export interface Session {
  /** Unix seconds. */
  readonly expiry: number;
  readonly grant: Grant;
  /** To sign the answer with, as the request was. */
  readonly algorithm: IntegrityAlgorithm;
  readonly key: Buffer;
}

/** Why nothing is proven. With 401 and 438 the client is told {@link Authenticator.challenge}. */
export type AuthenticationError = 400 | 401 | 438;

/** RFC 8489's long-term credentials, on usernames that say themselves what they are good for. Keeps nothing. */
export class Authenticator {
  readonly #credentials: Credentials;
  readonly #nonces: Nonces;
  readonly #realm: string;

  constructor(credentials: Credentials, nonces: Nonces, realm: string) {
    this.#credentials = credentials;
    this.#nonces = nonces;
    this.#realm = realm;
  }

  /**
   * RFC 8489 section 9.2.4. What is cheap to check comes first: no password is tried for a nonce that is not ours.
   *
   * @param unixTime seconds
   * @param address where the request comes from
   */
  authenticate(unixTime: number, request: StunMessage, address: string): Session | AuthenticationError {
    const algorithm = integrityOf(request);
    if (!algorithm) return 401;
    const username = request.get(Username);
    const nonce = request.get(Nonce);
    if (username === undefined || nonce === undefined || !request.has(Realm)) return 400;
    const hash = passwordHash(request);
    if (!hash) return 400;
    if (!this.#nonces.isValid(unixTime, nonce, address, username)) return 438;
    const expiry = Credentials.expiry(username);
    if (expiry === undefined || expiry <= unixTime) return 401;

    let key: Buffer = NO_KEY;
    const grant = this.#credentials.grant(username, (password) => {
      key = longTermKey(username, this.#realm, password, hash);
      return verifyIntegrity(request, algorithm, key);
    });
    return grant ? { expiry, grant, algorithm, key } : 401;
  }

  /** What a client needs to authenticate itself. RFC 8489 section 9.2.4. */
  challenge(unixTime: number, address: string): AttributeValue[] {
    return [Realm.of(this.#realm), Nonce.of(this.#nonces.forAddress(unixTime, address)), PasswordAlgorithms.of(ALGORITHMS)];
  }
}

const NO_KEY = Buffer.alloc(0);

/** RFC 8489 section 18.5. */
const SHA256 = 2;
const MD5 = 1;
const NO_PARAMETERS = new Uint8Array(0);
const ALGORITHMS: readonly PasswordAlgorithmChoice[] = [
  { algorithm: SHA256, parameters: NO_PARAMETERS },
  { algorithm: MD5, parameters: NO_PARAMETERS },
];

/** Of two, the stronger one counts. RFC 8489 section 14.6. */
function integrityOf(request: StunMessage): IntegrityAlgorithm | undefined {
  if (request.has(MessageIntegritySha256)) return "sha256";
  return request.has(MessageIntegrity) ? "sha1" : undefined;
}

/** How the key is made; `undefined` where somebody has tampered with what we offered. RFC 8489 section 9.2.4. */
function passwordHash(request: StunMessage): "md5" | "sha256" | undefined {
  const offered = request.get(PasswordAlgorithms);
  const chosen = request.get(PasswordAlgorithm);
  if (!offered && !chosen) return "md5";
  if (!offered || !chosen || !isOurOffer(offered) || chosen.parameters.length > 0) return undefined;
  if (chosen.algorithm === SHA256) return "sha256";
  return chosen.algorithm === MD5 ? "md5" : undefined;
}

function isOurOffer(offered: readonly PasswordAlgorithmChoice[]): boolean {
  return (
    offered.length === ALGORITHMS.length &&
    offered.every(({ algorithm, parameters }, i) => algorithm === ALGORITHMS[i]?.algorithm && parameters.length === 0)
  );
}
