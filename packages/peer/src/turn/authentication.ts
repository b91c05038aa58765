import { createHash } from "node:crypto";
import {
  type AttributeValue,
  ErrorCode,
  encodeMessage,
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
  Userhash,
  Username,
  verifyIntegrity,
} from "@awl/wire";
import type { TurnCredentials } from "./turn-io.js";

/** How a request was signed, and so how its answer must be. */
export interface Signature {
  readonly algorithm: IntegrityAlgorithm;
  readonly key: Buffer;
  readonly realm: string;
}

/**
 * - `authentic`: it is what it says.
 * - `challenge`: a 401 or 438, which need not be signed: to be shown to `follow`.
 * - `forged`: to be treated as if it had never come.
 */
export type Verdict = "authentic" | "challenge" | "forged";

/** The client's side of the long-term credential mechanism. RFC 8489 section 9.2. */
export class Authentication {
  #username = "";
  #password = "";
  #nonce: string | undefined;
  #offered: readonly PasswordAlgorithmChoice[] = [];
  #signature: Signature | undefined;

  constructor(credentials: TurnCredentials) {
    this.replace(credentials);
  }

  /** Requests from now on are signed with these, if they can be; without realm and nonce, those in use stay. */
  replace(credentials: TurnCredentials): void {
    if (!Authentication.canCarry(credentials)) return;
    const { username, password, realm, nonce, passwordAlgorithms } = credentials;
    this.#username = username;
    this.#password = password;
    this.#offered = passwordAlgorithms ?? this.#offered;
    const known = { realm: realm ?? this.#signature?.realm, nonce: nonce ?? this.#nonce };
    if (known.realm !== undefined && known.nonce !== undefined) this.#accept(known.realm, known.nonce);
  }

  /** Whether a request can carry them at all: RFC 8489 section 14. */
  static canCarry({ username, realm = "", nonce = "", passwordAlgorithms = [] }: TurnCredentials): boolean {
    return Buffer.byteLength(username) <= MAX_USERNAME && areShort(realm, nonce, passwordAlgorithms);
  }

  /** A request, signed as soon as the server has said what for. */
  encode(
    method: number,
    transactionId: Buffer,
    attributes: readonly AttributeValue[],
  ): { readonly bytes: Buffer; readonly signature: Signature | undefined } {
    const signature = this.#signature;
    if (!signature || this.#nonce === undefined) {
      return { bytes: encodeMessage({ method, class: "request", transactionId, attributes }), signature: undefined };
    }
    const bytes = encodeMessage({
      method,
      class: "request",
      transactionId,
      attributes: [...attributes, this.#name(signature), Realm.of(signature.realm), Nonce.of(this.#nonce), ...this.#algorithms()],
      integrity: [signature],
    });
    return { bytes, signature };
  }

  /**
   * Takes over what a 401 or 438 says. Returns whether the request is to be sent once more; if not, its fault is
   * that the credentials are wrong (`unauthorized`) or that the challenge is (`bad-challenge`): RFC 8489 section 9.2.5.
   */
  follow(challenge: StunMessage, request: Signature | undefined): "retry" | "unauthorized" | "bad-challenge" {
    const nonce = challenge.get(Nonce);
    const realm = challenge.get(Realm) ?? request?.realm;
    if (nonce === undefined || realm === undefined || isBidDown(challenge)) return "bad-challenge";
    const offered = challenge.get(PasswordAlgorithms);
    if (offered && !offered.some(isSupported)) return "bad-challenge";
    if (!areShort(realm, nonce, offered ?? [])) return "bad-challenge";
    if (challenge.get(ErrorCode)?.code === 401 && request?.realm === realm) return "unauthorized";
    // Copied: what was read is a view of a datagram.
    this.#offered = offered?.map(({ algorithm, parameters }) => ({ algorithm, parameters: Buffer.from(parameters) })) ?? [];
    this.#accept(realm, nonce);
    return "retry";
  }

  #accept(realm: string, nonce: string): void {
    this.#nonce = nonce;
    const hash = this.#chosen?.algorithm === SHA256 ? "sha256" : "md5";
    this.#signature = {
      // RFC 8489 section 9.2.4: SHA-1 is for those alone to whom no algorithms were offered.
      algorithm: this.#chosen ? "sha256" : "sha1",
      key: longTermKey(this.#username, realm, this.#password, hash),
      realm,
    };
  }

  /** The first on the list that we know: RFC 8489 section 9.2.5. */
  get #chosen(): PasswordAlgorithmChoice | undefined {
    return this.#offered.find(isSupported);
  }

  #algorithms(): AttributeValue[] {
    const chosen = this.#chosen;
    return chosen ? [PasswordAlgorithms.of(this.#offered), PasswordAlgorithm.of(chosen)] : [];
  }

  #name({ realm }: Signature): AttributeValue {
    if (!hasFeature(this.#nonce, USERNAME_ANONYMITY)) return Username.of(this.#username);
    return Userhash.of(createHash("sha256").update(`${this.#username}:${realm}`, "utf8").digest());
  }
}

/** Whether an answer is to be believed. RFC 8489 section 9.2.5. */
export function judge(answer: StunMessage, request: Signature | undefined): Verdict {
  const code = answer.class === "error" ? answer.get(ErrorCode)?.code : undefined;
  if (code === 401 || code === 438) return "challenge";
  if (isBidDown(answer)) return "forged";
  if (code === 400 && !answer.has(MessageIntegrity) && !answer.has(MessageIntegritySha256)) return "forged";
  // Without a signature on the request there is no key that the answer could be signed with.
  if (!request) return "authentic";
  return verifyIntegrity(answer, request.algorithm, request.key) ? "authentic" : "forged";
}

/** RFC 8489 section 9.2.1: the nonce says that there were password algorithms to choose from, and somebody has taken them out. */
function isBidDown(answer: StunMessage): boolean {
  return hasFeature(answer.get(Nonce), PASSWORD_ALGORITHMS) && !answer.has(PasswordAlgorithms);
}

/** In bytes; what is received may be longer than what may be sent. RFC 8489 section 14. */
const MAX_USERNAME = 508;
const MAX_TEXT = 509;
/** There are two in the registry. */
const MAX_ALGORITHMS = 16;

function areShort(realm: string, nonce: string, algorithms: readonly PasswordAlgorithmChoice[]): boolean {
  if (Buffer.byteLength(realm) > MAX_TEXT || Buffer.byteLength(nonce) > MAX_TEXT || algorithms.length > MAX_ALGORITHMS) return false;
  return algorithms.every(({ parameters }) => parameters.length <= MAX_TEXT);
}

/** RFC 8489 section 18.5. */
const MD5 = 1;
const SHA256 = 2;

function isSupported({ algorithm, parameters }: PasswordAlgorithmChoice): boolean {
  return (algorithm === SHA256 || algorithm === MD5) && parameters.length === 0;
}

/** RFC 8489 section 18.1: bits of the first of three bytes, which stand in base64 behind a fixed beginning. */
const PASSWORD_ALGORITHMS = 0x80;
const USERNAME_ANONYMITY = 0x40;
const COOKIE = /^obMatJos2([\w+/]{4})/;

function hasFeature(nonce: string | undefined, feature: number): boolean {
  const [, features] = COOKIE.exec(nonce ?? "") ?? [];
  return features !== undefined && ((Buffer.from(features, "base64")[0] ?? 0) & feature) !== 0;
}
