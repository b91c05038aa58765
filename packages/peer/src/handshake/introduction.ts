import { PeerError } from "../errors.js";
import { type Identity, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, verifySignature } from "../identity.js";
import type { Role } from "./role.js";
import { type ExportSecret, exporterLabel } from "./session-keys.js";

export interface IntroductionOptions {
  readonly role: Role;
  /** One's own. */
  readonly identity: Identity;
  /** Who the listener must be. */
  readonly listenerKey: Uint8Array;
  /** Listener only: who may come. @default everybody with the ticket */
  readonly allow?: ((key: Uint8Array) => boolean) | undefined;
  /** Of the TLS session that carries the introduction. */
  readonly exportSecret: ExportSecret;
}

export type IntroductionOutput =
  | { readonly type: "send"; readonly message: Uint8Array }
  /** The last output there is: the other side is who it says, and both let each other in. */
  | { readonly type: "introduced"; readonly peerKey: Uint8Array }
  /** The last output there is, but sends before it are still to be made. */
  | { readonly type: "failed"; readonly error: PeerError };

/**
 * Who is who, inside TLS, whose pre-shared key has proven that both hold the ticket: a pure machine for one message each way.
 *
 * 1. connector: 0x01, its public key, its signature. It speaks first, since TLS lets it: so the two know each other after two round trips.
 * 2. listener: 0x02, 0x00 (come in) or 0x01 (not allowed), its signature.
 *
 * Each signs a value that is exported from this very TLS session under a label of its own role. So a signature is worth nothing in
 * another session, for whoever stands between two of them, and nothing as the other role's.
 */
export class Introduction {
  readonly #options: IntroductionOptions;
  #ended = false;

  constructor(options: IntroductionOptions) {
    this.#options = options;
  }

  /** Call it once, first. */
  start(): IntroductionOutput[] {
    const { role, identity } = this.#options;
    if (role === "listener") return [];
    return [{ type: "send", message: Buffer.concat([Buffer.of(HELLO), identity.publicKey, this.#sign()]) }];
  }

  handle(message: Uint8Array): IntroductionOutput[] {
    if (this.#ended) return [];
    this.#ended = true;
    return this.#options.role === "listener" ? this.#receiveHello(message) : this.#receiveVerdict(message);
  }

  #receiveHello(message: Uint8Array): IntroductionOutput[] {
    if (message[0] !== HELLO || message.length !== 1 + PUBLIC_KEY_BYTES + SIGNATURE_BYTES) return [failed(...MALFORMED)];
    const peerKey = Uint8Array.from(message.subarray(1, 1 + PUBLIC_KEY_BYTES));
    const signature = message.subarray(1 + PUBLIC_KEY_BYTES);
    if (!verifySignature(peerKey, this.#signed("connector"), signature)) return [failed(...NOT_THE_CONNECTOR)];
    const allowed = this.#options.allow?.(peerKey) ?? true;
    const verdict = Buffer.concat([Buffer.of(VERDICT, allowed ? COME_IN : NOT_ALLOWED), this.#sign()]);
    return [{ type: "send", message: verdict }, allowed ? { type: "introduced", peerKey } : failed(...NOT_LET_IN)];
  }

  #receiveVerdict(message: Uint8Array): IntroductionOutput[] {
    const [type, verdict] = message;
    if (type !== VERDICT || message.length !== 2 + SIGNATURE_BYTES) return [failed(...MALFORMED)];
    // The signature first: only the listener itself may say who is not allowed.
    const { listenerKey } = this.#options;
    if (!verifySignature(listenerKey, this.#signed("listener"), message.subarray(2))) return [failed(...NOT_THE_LISTENER)];
    if (verdict === NOT_ALLOWED) return [failed(...REFUSED)];
    return verdict === COME_IN ? [{ type: "introduced", peerKey: Uint8Array.from(listenerKey) }] : [failed(...MALFORMED)];
  }

  #sign(): Uint8Array {
    return this.#options.identity.sign(this.#signed(this.#options.role));
  }

  /** The words in front keep such a signature apart from whatever else this key may ever sign. */
  #signed(role: Role): Uint8Array {
    const exported = this.#options.exportSecret(32, exporterLabel(`identity of the ${role}`));
    return Buffer.concat([Buffer.from(`awl/1 handshake, ${role}\0`), exported]);
  }
}

/** The longest message of an introduction, bytes. */
export const MAX_INTRODUCTION_BYTES = 1 + PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

const HELLO = 0x01;
const VERDICT = 0x02;
const COME_IN = 0x00;
const NOT_ALLOWED = 0x01;

type Failure = ConstructorParameters<typeof PeerError>;
const MALFORMED: Failure = ["handshake-failed", "the other side does not introduce itself as an Awl peer does"];
const NOT_THE_CONNECTOR: Failure = ["identity-mismatch", "the connector could not prove the key it claims"];
const NOT_THE_LISTENER: Failure = ["identity-mismatch", "the listener is not the one who made the ticket"];
const NOT_LET_IN: Failure = ["not-allowed", "the connector's key is not among those allowed"];
const REFUSED: Failure = ["not-allowed", "the listener does not allow this key"];

function failed(...failure: Failure): IntroductionOutput {
  return { type: "failed", error: new PeerError(...failure) };
}
