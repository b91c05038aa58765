import {
  type AttributeValue,
  ChangedAddress,
  ChangeRequest,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  ErrorReason,
  encodeMessage,
  Fingerprint,
  MappedAddress,
  Method,
  OtherAddress,
  Padding,
  ResponseOrigin,
  ResponsePort,
  SourceAddress,
  type StunMessage,
  UnknownAttributes,
  XorMappedAddress,
} from "@awl/wire";
import { BindingCounters, type BindingDrop } from "./counters.js";
import { ReflectionLimiter, type ReflectionLimits } from "./rate-limit.js";
import type { StunSocket } from "./sockets.js";

/** One datagram to send. */
export interface BindingAnswer {
  readonly bytes: Buffer;
  /** The socket to send it from, by index. */
  readonly via: number;
  readonly to: Endpoint;
}

/**
 * A STUN Binding server: RFC 8489 section 6.3, RFC 5780 section 6, and the clients of RFC 3489. Pure.
 *
 * An address with an alternate gets RFC 5780's four attributes and nothing more; one without gets XOR-MAPPED-ADDRESS
 * alone. One datagram in, at most one small datagram out, and that always to the IP address that asked:
 * whoever forges a source address gets no more out of this server than out of any other.
 *
 * Credentials are not asked for, and those in a request are ignored (a Binding answer is no secret).
 */
export class BindingServer {
  readonly counters = new BindingCounters();
  readonly #sockets: readonly PreparedSocket[];
  readonly #limiter: ReflectionLimiter;
  /** The ports of all own endpoints, with the addresses they have them on. */
  readonly #own = new Map<number, Set<string>>();

  constructor(sockets: readonly StunSocket[], limits: Partial<ReflectionLimits> = {}) {
    this.#sockets = sockets.map((socket) => prepare(socket, sockets));
    this.#limiter = new ReflectionLimiter(limits);
    for (const { address, port } of sockets.flatMap(({ local, origin }) => [local, origin])) {
      this.#own.set(port, (this.#own.get(port) ?? new Set()).add(address));
    }
  }

  /**
   * Takes one datagram and returns the answer to it, if it is to have one. Never throws for what the bytes are.
   *
   * @param now milliseconds of a monotonic clock
   * @param bytes the datagram; its memory may be reused afterwards
   * @param local the socket it came to, by its index in the list given to the constructor
   * @param from its source: a canonical address
   */
  handle(now: number, bytes: Uint8Array, local: number, from: Endpoint): BindingAnswer | undefined {
    const socket = this.#sockets[local];
    if (!socket) throw new RangeError(`no such socket: ${local}`);

    const request = decodeMessage(bytes);
    if (typeof request === "string") return this.#drop(request);
    const unfit = this.#whyUnfit(request, from);
    if (unfit) return this.#drop(unfit);

    const unknown = unknownAttributes(request, socket);
    if (unknown.length > 0) return this.#refuse(420, request, local, from, UnknownAttributes.of(unknown));

    const via = answeringSocket(request, socket, local);
    const port = request.get(ResponsePort) ?? from.port;
    if (port !== from.port && !this.#isOpenPort(from.address, port)) return this.#refuse(403, request, local, from);

    // Elsewhere than straight back: this is what a reflector is, so it is counted out. The refusal goes straight
    // back, for a prober to tell "refused" from "filtered".
    const reflected = via !== local || port !== from.port;
    if (reflected && !this.#limiter.take(now, from.address)) return this.#refuse(500, request, local, from);

    this.counters.answered++;
    const attributes = request.classic ? this.#classicAttributes(from, socket, via) : this.#attributes(from, socket, via);
    return { bytes: encode("success", request, attributes), via, to: port === from.port ? from : { address: from.address, port } };
  }

  #whyUnfit(message: StunMessage, from: Endpoint): BindingDrop | undefined {
    if (message.method !== Method.Binding) return "other-method";
    if (message.class === "indication") return "indication";
    if (message.class !== "request") return "not-a-request";
    if (from.port === 0 || !isUnicast(from.address)) return "bad-source";
    return this.#isOwn(from.address, from.port) ? "own-source" : undefined;
  }

  /** RFC 5780 section 6.1: what it demands of a server with an alternate address; RFC 8489 section 6.3.1.1 of any other. */
  #attributes(from: Endpoint, socket: PreparedSocket, via: number): AttributeValue[] {
    const mapped = XorMappedAddress.of(from);
    const origin = this.#sockets[via];
    if (!socket.otherAddress || !origin) return [mapped];
    return [mapped, MappedAddress.of(from), origin.responseOrigin, socket.otherAddress];
  }

  /** RFC 3489 section 8.1. */
  #classicAttributes(from: Endpoint, socket: PreparedSocket, via: number): AttributeValue[] {
    const mapped = MappedAddress.of(from);
    const origin = this.#sockets[via];
    if (!socket.changedAddress || !origin) return [mapped];
    return [mapped, origin.sourceAddress, socket.changedAddress];
  }

  /**
   * Whether an answer may be sent to this port of an asker who named it (RESPONSE-PORT). Not to privileged ports,
   * where services listen that never asked for STUN and NATs seldom map, and not to ourselves.
   */
  #isOpenPort(address: string, port: number): boolean {
    return port >= FIRST_UNPRIVILEGED_PORT && !this.#isOwn(address, port);
  }

  /** A datagram from one of our endpoints was forged, or is one of ours come back: answering it could begin a loop. */
  #isOwn(address: string, port: number): boolean {
    return this.#own.get(port)?.has(address) ?? false;
  }

  #refuse(code: 403 | 420 | 500, request: StunMessage, local: number, from: Endpoint, detail?: AttributeValue): BindingAnswer {
    this.counters.refused[code]++;
    const error = ErrorCode.of({ code, reason: ErrorReason[code] });
    return { bytes: encode("error", request, detail ? [error, detail] : [error]), via: local, to: from };
  }

  #drop(reason: BindingDrop): undefined {
    this.counters.dropped[reason]++;
  }
}

/** A socket with the attributes about it that never change. */
interface PreparedSocket extends StunSocket {
  readonly responseOrigin: AttributeValue;
  readonly sourceAddress: AttributeValue;
  readonly otherAddress: AttributeValue | undefined;
  readonly changedAddress: AttributeValue | undefined;
}

/** RFC 6335 section 6: below it are the system ports. */
const FIRST_UNPRIVILEGED_PORT = 1024;

function prepare(socket: StunSocket, sockets: readonly StunSocket[]): PreparedSocket {
  const other = socket.change && sockets[socket.change.both]?.origin;
  return {
    ...socket,
    responseOrigin: ResponseOrigin.of(socket.origin),
    sourceAddress: SourceAddress.of(socket.origin),
    otherAddress: other && OtherAddress.of(other),
    changedAddress: other && ChangedAddress.of(other),
  };
}

/**
 * What has to be answered 420 here. RFC 8489 section 6.3.1.
 *
 * - CHANGE-REQUEST, where there is no alternate address. RFC 5780 section 6.
 * - PADDING, everywhere. RFC 5780 section 6.1 wants it answered with an MTU of padding: 28 bytes that fetch 1,500 are
 *   an amplifier. We are the server that does not support it, which its clients must expect.
 */
function unknownAttributes(request: StunMessage, socket: StunSocket): readonly number[] {
  const padding = request.has(Padding);
  const change = !socket.change && request.has(ChangeRequest);
  if (!padding && !change) return request.unknownRequired;
  return [...request.unknownRequired, ...(padding ? [Padding.type] : []), ...(change ? [ChangeRequest.type] : [])];
}

function answeringSocket(request: StunMessage, { change }: StunSocket, local: number): number {
  const flags = change && request.get(ChangeRequest);
  if (!flags) return local;
  if (flags.ip) return flags.port ? change.both : change.ip;
  return flags.port ? change.port : local;
}

/** RFC 8489 section 7.1: an answer has a FINGERPRINT if the request had one. */
function encode(kind: "success" | "error", request: StunMessage, attributes: readonly AttributeValue[]): Buffer {
  return encodeMessage({
    method: Method.Binding,
    class: kind,
    transactionId: request.transactionId,
    attributes,
    fingerprint: request.has(Fingerprint),
  });
}

/** Cheap, on text: the addresses that no host can send from (0/8, 224/3 with broadcast, `::`, ff00::/8) are told by their beginning. */
function isUnicast(address: string): boolean {
  if (address.includes(":")) return address !== "::" && !address.startsWith("ff");
  const firstOctet = Number.parseInt(address, 10);
  return firstOctet > 0 && firstOctet < 224;
}
