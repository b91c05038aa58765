import { type AttributeValue, DontFragment, decodeMessage, Method, type StunMessage, UnknownAttributes, XorMappedAddress } from "@awl/wire";
import { ReflectionLimiter } from "../stun/rate-limit.js";
import type { Allocator } from "./allocate.js";
import type { ClientPath, Relay } from "./allocation.js";
import type { Allocations } from "./allocations.js";
import { type Answer, encodeAnswer, error, success } from "./answer.js";
import type { AuthenticationError, Authenticator, Session } from "./authenticator.js";
import type { TurnCounters, TurnDrop } from "./counters.js";
import type { Outbox } from "./io.js";
import { STRANGER_LIMITS } from "./limits.js";
import type { Permits } from "./permits.js";
import type { Waiting } from "./waiting.js";

/** Who does what requests ask for. */
export interface RequestServices {
  readonly authenticator: Authenticator;
  readonly allocator: Allocator;
  readonly permits: Permits;
  readonly allocations: Allocations;
  readonly waiting: Waiting;
  readonly counters: TurnCounters;
  readonly out: Outbox;
  readonly dontFragment: boolean;
  readonly unixTime: () => number;
}

/** Answers requests: who has proven who they are is served, all others are told how to, and not too often. */
export class Requests {
  readonly #services: RequestServices;
  readonly #strangers = new ReflectionLimiter(STRANGER_LIMITS);

  constructor(services: RequestServices) {
    this.#services = services;
  }

  /** Puts out the answer; or returns why there is none. */
  handle(now: number, path: ClientPath, request: StunMessage): TurnDrop | undefined {
    const { authenticator, unixTime } = this.#services;
    const { address } = path.remote;
    const time = unixTime();
    // Over UDP another server answers Binding; on connections it is asked here.
    const session = request.method === Method.Binding ? 401 : authenticator.authenticate(time, request, address);
    if (typeof session === "object") return this.#conclude(path, request, session, this.#serve(now, path, request, session));
    // The address of a connection is no forged one, and who asks there does not ask again.
    if (path.connection === undefined && !this.#strangers.take(now, address)) return "stranger-limit";
    const challenge = session === 400 ? [] : authenticator.challenge(time, address);
    return this.#conclude(path, request, undefined, answerStranger(path, request, session, challenge));
  }

  /** Takes up what waited for this relay's socket. */
  settle(now: number, relay: Relay): void {
    const { waiting, counters } = this.#services;
    for (const { path, bytes } of waiting.take(relay.id)) {
      const request = decodeMessage(bytes);
      const dropped = typeof request === "string" ? request : this.handle(now, path, request);
      if (dropped) counters.dropped[dropped]++;
    }
  }

  #serve(now: number, path: ClientPath, request: StunMessage, session: Session): Answer {
    const { allocator, permits, allocations, dontFragment } = this.#services;
    const unknown = notUnderstood(request, dontFragment);
    if (unknown.length > 0) return error(420, [UnknownAttributes.of(unknown)]);
    if (request.method === Method.Allocate) return allocator.allocate(now, request, path, session);

    const allocation = allocations.of(now, path);
    if (!allocation) return error(437);
    if (allocation.account.owner !== session.grant.owner) return error(441);
    allocation.account.renew(session);
    switch (request.method) {
      case Method.Refresh:
        return permits.refresh(now, request, allocation);
      case Method.CreatePermission:
        return permits.createPermission(now, request, allocation);
      case Method.ChannelBind:
        return permits.bindChannel(now, request, allocation);
      default:
        return error(400);
    }
  }

  #conclude(path: ClientPath, request: StunMessage, session: Session | undefined, answer: Answer): TurnDrop | undefined {
    const { counters, out } = this.#services;
    if (answer.kind === "later") return this.#postpone(path, request, answer.relay);
    if (answer.kind === "success") counters.succeeded++;
    else counters.refused[answer.code]++;
    const bytes = encodeAnswer(request, answer, session);
    const { connection, local, remote } = path;
    if (connection !== undefined) out.put({ type: "write", connection, bytes, data: false });
    else out.put({ type: "send", local, to: remote, bytes });
    return undefined;
  }

  /** The request is taken up again when there is a socket, as if it came only then. */
  #postpone(path: ClientPath, request: StunMessage, relay: Relay): TurnDrop | undefined {
    const { waiting, out } = this.#services;
    if (!waiting.add(relay.id, path, request.bytes)) return "not-awaited";
    if (relay.socket === "binding") return undefined;
    relay.socket = "binding";
    out.put({ type: "bind", relay: relay.id, at: { address: relay.home.address, port: relay.relayed.port } });
    return undefined;
  }
}

function answerStranger(
  { remote }: ClientPath,
  request: StunMessage,
  code: AuthenticationError,
  challenge: readonly AttributeValue[],
): Answer {
  if (request.method !== Method.Binding) return error(code, challenge);
  const { unknownRequired } = request;
  return unknownRequired.length > 0 ? error(420, [UnknownAttributes.of(unknownRequired)]) : success([XorMappedAddress.of(remote)]);
}

/** Comprehension-required attributes that this server does not do. RFC 8656 section 7.2 on DONT-FRAGMENT. */
export function notUnderstood(message: StunMessage, dontFragment: boolean): readonly number[] {
  const { unknownRequired } = message;
  return !dontFragment && message.has(DontFragment) ? [...unknownRequired, DontFragment.type] : unknownRequired;
}
