import { z } from "zod";
import { PeerError } from "./errors.js";
import { SEED_BYTES } from "./identity.js";
import { SECRET_BYTES } from "./ticket.js";

/** What an identity file keeps. */
export interface IdentityDocument {
  /** Of the key pair, 32 bytes. */
  readonly seed: Uint8Array;
  /** The tickets' access secret, 16 bytes. */
  readonly secret: Uint8Array;
}

/** The largest text that can be an identity, characters. */
export const MAX_DOCUMENT_LENGTH = 4_096;

/** As JSON, on one line a value, so that a person who opens the file sees what it is. */
export function formatIdentityDocument({ seed, secret }: IdentityDocument): string {
  const fields = { awlIdentity: VERSION, seed: Buffer.from(seed).toString("hex"), secret: Buffer.from(secret).toString("hex") };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

/** @throws {PeerError} `bad-identity-file`: not such a document, or of a newer version; says of what it is, without a name */
export function parseIdentityDocument(text: string): IdentityDocument {
  const json = parseJson(text);
  const versioned = Versioned.safeParse(json);
  if (!versioned.success) throw new PeerError("bad-identity-file", "is not an Awl identity");
  if (versioned.data.awlIdentity > VERSION) throw new PeerError("bad-identity-file", "was written by a newer Awl");
  const document = Document.safeParse(json);
  if (!document.success) throw new PeerError("bad-identity-file", "is damaged: it is an Awl identity without a proper seed and secret");
  return document.data;
}

const VERSION = 1;

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
    .transform((text) => Uint8Array.from(Buffer.from(text, "hex")));

const Versioned = z.looseObject({ awlIdentity: z.int().positive() });
const Document = z.object({ awlIdentity: z.literal(VERSION), seed: hex(SEED_BYTES), secret: hex(SECRET_BYTES) });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
