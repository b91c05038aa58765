import { z } from "zod";
import { canonicalAddress, parseAddress } from "../endpoint/address.js";
import { isRoom } from "./room.js";

/** Bytes of a fixed length, as base64url (RFC 4648 section 5) in the one spelling without padding. */
export function base64urlBytes(length: number) {
  return z.codec(
    z.string().refine((text) => isBase64url(text, length)),
    z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length),
    { decode: (text) => Buffer.from(text, "base64url"), encode: (bytes) => Buffer.from(bytes).toString("base64url") },
  );
}

export const room = z.string().refine(isRoom);

/** The number of a link: its own on each of the link's two connections. */
export const link = z.int().min(0).max(0xffff_ffff);

export const address = z.string().max(45).refine(isCanonical);

export const observed = z.object({ address, port: z.int().min(0).max(0xffff) });

/** What a TURN server wants to see, in printable ASCII. */
const token = (length: number) => z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${length}}$`));

/** A TURN server, with what lets one peer use it for one link. */
export const relay = z.object({
  /** RFC 7065, best first. */
  uris: z.array(token(300)).min(1).max(6).readonly(),
  username: token(508),
  password: token(256),
  /** Where they are known, the first Allocate is answered at once: RFC 8489 section 9.2. */
  realm: token(127).optional(),
  nonce: token(127).optional(),
});

/** A stable code; one that is not known here may be a newer side's. */
export const code = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

/** A sentence for a person. It may come to a terminal, so it has no control characters. */
export const text = z.string().regex(/^[^\p{Cc}\p{Cf}]{0,300}$/u);

function isBase64url(spelled: string, length: number): boolean {
  if (spelled.length !== Math.ceil((length * 4) / 3)) return false;
  return Buffer.from(spelled, "base64url").toString("base64url") === spelled;
}

function isCanonical(address: string): boolean {
  return parseAddress(address) !== undefined && canonicalAddress(address) === address;
}
