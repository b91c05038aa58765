import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { SessionKeys } from "./session-keys.js";

/** The first message of a connector on a new channel: a new session, or one whose channel was lost. */
export type Greeting = z.infer<typeof greeting>;

/** A listener's answer to `resume`. */
export type Reply = z.infer<typeof reply>;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const SESSION_ID_BYTES = 16;
const PROOF_BYTES = 32;

const greeting = z.discriminatedUnion("type", [
  z.object({ type: z.literal("begin") }),
  /** `session`: the id of the old session. `proof`: {@link proveResumption}. */
  z.object({ type: z.literal("resume"), session: hex(SESSION_ID_BYTES), proof: hex(PROOF_BYTES) }),
]);

const reply = z.object({ type: z.enum(["resumed", "unknown-session"]) });

export const decodeGreeting = (bytes: Uint8Array): Greeting | undefined => decode(greeting, bytes);
export const decodeReply = (bytes: Uint8Array): Reply | undefined => decode(reply, bytes);

export function encodeGreeting(message: Greeting | Reply): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** Shows on one channel that one is a peer of the session of another: worth nothing on any third. Hexadecimal. */
export function proveResumption(old: SessionKeys, channel: SessionKeys): string {
  return createHmac("sha256", old.resumption).update("awl/1 resume\0").update(channel.sessionId).digest("hex");
}

export function verifyResumption(old: SessionKeys, channel: SessionKeys, proof: string): boolean {
  return timingSafeEqual(Buffer.from(proof, "hex"), Buffer.from(proveResumption(old, channel), "hex"));
}

export function sessionIdOf({ sessionId }: SessionKeys): string {
  return Buffer.from(sessionId).toString("hex");
}

function decode<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
