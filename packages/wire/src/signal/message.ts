import { z } from "zod";
import { SIGNAL_VERSION, type SignalErrorCode, type UnlinkReason } from "./codes.js";
import { address, base64urlBytes, code, link, observed, relay, room, text } from "./fields.js";
import { CHALLENGE_LENGTH, PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH } from "./registration.js";

/** Why a text is no message. `unknown-type` may be a newer side's, and is to be ignored or refused without breaking up. */
export type SignalFault = "not-json" | "bad-message" | "unknown-type" | "other-version";

/** One a family. */
const MAX_ADDRESSES = 2;

const MAX_RELAYS = 4;

const version = z.literal(SIGNAL_VERSION);

const clientMessages = {
  /** A listener wants its room; answered with `registered`. The signature is over `registrationPayload`. */
  register: z.object({
    type: z.literal("register"),
    version,
    key: base64urlBytes(PUBLIC_KEY_LENGTH),
    signature: base64urlBytes(SIGNATURE_LENGTH),
  }),
  /** A connector wants a link with the listener of a room; answered with `linked`. */
  knock: z.object({ type: z.literal("knock"), version, room }),
  unlink: z.object({ type: z.literal("unlink"), link }),
  /** The listener has let the knocker in, and wishes that both may use relays; answered with `relay` to both. */
  admit: z.object({ type: z.literal("admit"), link }),
};

const serverMessages = {
  /**
   * The first message. `observed`: where this connection comes from. `stun`: the UDP port, at the same address.
   * `addresses`: public ones of the rendezvous, the same port at each, for a client who needs one of the other family.
   */
  welcome: z.object({
    type: z.literal("welcome"),
    version,
    challenge: base64urlBytes(CHALLENGE_LENGTH),
    observed,
    stun: z.int().min(1).max(0xffff),
    addresses: z.array(address).max(MAX_ADDRESSES),
  }),
  registered: z.object({ type: z.literal("registered"), room }),
  /** To who knocked. `observed`: where the listener's connection comes from. */
  linked: z.object({ type: z.literal("linked"), room, link, observed }),
  /** To the listener. `observed`: where the knocker's connection comes from. */
  knocked: z.object({ type: z.literal("knocked"), link, observed }),
  /** The link has ended; its number is not used again on this connection. */
  unlinked: z.object({ type: z.literal("unlinked"), link, reason: code as z.ZodType<UnlinkReason | Unknown> }),
  /** Relays for the two sides of a link, and for how long their credentials hold. None: there are none. */
  relay: z.object({ type: z.literal("relay"), link, relays: z.array(relay).max(MAX_RELAYS), seconds: z.int().min(0) }),
  /** `room`: the one knocked at, where the error refuses a knock. */
  error: z.object({ type: z.literal("error"), code: code as z.ZodType<SignalErrorCode | Unknown>, text, room: room.optional() }),
  /** The rendezvous is about to end: finish on the links there are, and reconnect, preferably to another one. */
  draining: z.object({ type: z.literal("draining") }),
};

/** A code that this version does not know. (The intersection keeps the known ones in sight of an editor.) */
type Unknown = string & {};

const { register, knock, unlink, admit } = clientMessages;
const { welcome, registered, linked, knocked, unlinked, relay: relays, error, draining } = serverMessages;
const ClientMessage = z.discriminatedUnion("type", [register, knock, unlink, admit]);
const ServerMessage = z.discriminatedUnion("type", [welcome, registered, linked, knocked, unlinked, relays, error, draining]);

/** From a peer to the rendezvous. Byte fields are bytes here and base64url on the wire. */
export type SignalClientMessage = z.output<typeof ClientMessage>;
/** From the rendezvous to a peer. */
export type SignalServerMessage = z.output<typeof ServerMessage>;

/** A TURN server, with what lets one peer use it for one link. */
export type SignalRelay = z.output<typeof relay>;

/** The text of a message. @throws for fields that are out of range: a mistake of the program */
export function encodeClientMessage(message: SignalClientMessage): string {
  return JSON.stringify(z.encode(ClientMessage, message));
}

/** Reads a text from a peer. Never throws. */
export function decodeClientMessage(json: string): SignalClientMessage | SignalFault {
  return decode(ClientMessage, clientMessages, json);
}

/** The text of a message. @throws for fields that are out of range: a mistake of the program */
export function encodeServerMessage(message: SignalServerMessage): string {
  return JSON.stringify(z.encode(ServerMessage, message));
}

/** Reads a text from the rendezvous. Never throws. */
export function decodeServerMessage(json: string): SignalServerMessage | SignalFault {
  return decode(ServerMessage, serverMessages, json);
}

/** What every message of every version has: enough to say why one cannot be read. */
const Envelope = z.object({ type: z.string(), version: z.number().optional() });

function decode<T extends z.ZodType>(schema: T, known: object, json: string): z.output<T> | SignalFault {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return "not-json";
  }
  const message = schema.safeParse(value);
  if (message.success) return message.data;
  const envelope = Envelope.safeParse(value);
  if (!envelope.success) return "bad-message";
  if (envelope.data.version !== undefined && envelope.data.version !== SIGNAL_VERSION) return "other-version";
  return Object.hasOwn(known, envelope.data.type) ? "bad-message" : "unknown-type";
}
