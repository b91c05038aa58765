import { canonicalAddress, isPort, parseAddress } from "@awl/wire";
import { z } from "zod";

/** What two peers say to each other about their connection, sealed on the way and validated on arrival. */
export type ControlMessage = z.infer<typeof controlMessage>;

/** What one side measured of its own NAT, in the words of nat-probe's document. */
export type NatSummary = z.infer<typeof natSummary>;

const address = z
  .string()
  .max(45)
  .refine((text) => parseAddress(text) !== undefined)
  .transform(canonicalAddress);

const candidate = z.object({
  type: z.enum(["host", "server-reflexive", "peer-reflexive", "relayed"]),
  address,
  port: z.number().refine(isPort),
});

/** A peer's words reach a person's terminal: none of them may steer it. */
const text = (length: number) =>
  z
    .string()
    .max(length)
    .transform((said) => said.replace(/\p{C}/gu, ""));
const word = text(40);
const tryNumber = z.int().min(0).max(1_000_000);

const natSummary = z.object({ type: word, mapping: word, filtering: word, confidence: word });

const controlMessage = z.discriminatedUnion("type", [
  /** Where the sender can be reached in this try. `rung`, of the ladder: the listener's is the one that counts. The list is longer than what is used of it, so that newer peers may offer more. */
  z.object({ type: z.literal("candidates"), try: tryNumber, rung: tryNumber.optional(), candidates: z.array(candidate).max(64) }),
  /** The sender's NATs let in what now comes from the other's candidates. */
  z.object({ type: z.literal("opened"), try: tryNumber }),
  /** The sender's relayed address. */
  z.object({ type: z.literal("relayed"), address, port: z.number().refine(isPort) }),
  z.object({ type: z.literal("nat"), nat: natSummary }),
  z.object({ type: z.literal("bye"), code: word, text: text(200) }),
]);

/**
 * One message on a carrier: its number, and how many of the other side's were received. A message of a kind that we do not know
 * is none, but has its number all the same: else it would hold up all that follow it.
 */
const envelope = z.object({ seq: z.int().min(0).optional(), ack: z.int().min(0), message: controlMessage.optional().catch(undefined) });

export type Envelope = z.infer<typeof envelope>;

/** Fits a datagram, and bounds the work of parsing. */
const MAX_BYTES = 8_192;

export function encodeEnvelope(value: Envelope): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** `undefined`: the bytes are no envelope. Never throws. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  try {
    return envelope.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
