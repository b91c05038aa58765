import {
  decodeMessage,
  type Endpoint,
  encodeMessage,
  IceControlled,
  IceControlling,
  Method,
  type StunMessage,
  UseCandidate,
  verifyIntegrity,
  XorMappedAddress,
} from "@awl/wire";
import type { Role } from "../handshake/role.js";
import type { DirectionKeys } from "../handshake/session-keys.js";
import { ReplayWindow } from "./replay-window.js";

/** What one authenticated check says. */
export type Check =
  | { readonly type: "request"; readonly transactionId: Buffer; readonly nominates: boolean; readonly counter: number }
  /** `mapped`: what our request looked like to the peer. */
  | { readonly type: "answer"; readonly transactionId: Buffer; readonly mapped: Endpoint };

/** Why some bytes are no check of the peer's; each is a counter's name. */
export type CheckFault = "not-a-check" | "forged" | "replayed";

/**
 * Connectivity checks: STUN Binding requests and answers, as in RFC 8445 section 7, each authenticated in both directions under keys
 * that only the two peers have. Roles are fixed (the connector controls), so nobody needs a tie-breaker:
 * the 64 bits of ICE-CONTROLLING and ICE-CONTROLLED count the sender's requests instead, and none is accepted twice.
 */
export class Checks {
  readonly #role: Role;
  readonly #keys: DirectionKeys;
  readonly #window = new ReplayWindow();
  #counter = 0;

  constructor(role: Role, keys: DirectionKeys) {
    this.#role = role;
    this.#keys = keys;
  }

  /** The counter of the latest request. */
  get counter(): number {
    return this.#counter - 1;
  }

  request(transactionId: Buffer, nominates: boolean): Buffer {
    const counter = (this.#role === "connector" ? IceControlling : IceControlled).of(BigInt(this.#counter++));
    return this.#encode("request", transactionId, nominates ? [counter, UseCandidate.of(true)] : [counter]);
  }

  /** The answer to a request that came from `source`. */
  answer(transactionId: Buffer, source: Endpoint): Buffer {
    return this.#encode("success", transactionId, [XorMappedAddress.of(source)]);
  }

  /** Never throws for what the bytes are. */
  open(bytes: Uint8Array): Check | CheckFault {
    const message = decodeMessage(bytes);
    if (typeof message === "string" || message.method !== Method.Binding) return "not-a-check";
    if (message.class !== "request" && message.class !== "success") return "not-a-check";
    if (!verifyIntegrity(message, "sha256", this.#keys.receive)) return "forged";
    return message.class === "request" ? this.#openRequest(message) : openAnswer(message);
  }

  #openRequest(message: StunMessage): Check | CheckFault {
    const counter = message.get(this.#role === "connector" ? IceControlled : IceControlling);
    if (counter === undefined || counter > Number.MAX_SAFE_INTEGER) return "not-a-check";
    if (!this.#window.accept(Number(counter))) return "replayed";
    return { type: "request", transactionId: message.transactionId, nominates: message.has(UseCandidate), counter: Number(counter) };
  }

  #encode(kind: "request" | "success", transactionId: Buffer, attributes: Parameters<typeof encodeMessage>[0]["attributes"] & {}): Buffer {
    const integrity = [{ algorithm: "sha256", key: this.#keys.send }] as const;
    return encodeMessage({ method: Method.Binding, class: kind, transactionId, attributes, integrity, fingerprint: true });
  }
}

function openAnswer(message: StunMessage): Check | CheckFault {
  const mapped = message.get(XorMappedAddress);
  return mapped ? { type: "answer", transactionId: message.transactionId, mapped } : "not-a-check";
}
