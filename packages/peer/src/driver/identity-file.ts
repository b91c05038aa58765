import { randomBytes } from "node:crypto";
import { constants, link, mkdir, open, realpath, rename, unlink } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { PeerError } from "../errors.js";
import { type Identity, identityFromSeed, SEED_BYTES } from "../identity.js";
import { formatIdentityDocument, type IdentityDocument, MAX_DOCUMENT_LENGTH, parseIdentityDocument } from "../identity-document.js";
import { SECRET_BYTES } from "../ticket.js";

/** Who this peer is, and the secret of the tickets it prints. */
export interface KeptIdentity {
  readonly identity: Identity;
  /** 16 bytes. */
  readonly secret: Uint8Array;
}

/** An identity that nothing keeps: its ticket ends with the process. */
export function ephemeralIdentity(): KeptIdentity {
  return fromDocument(newDocument());
}

/**
 * The identity in this file; the file is made if there is none, readable by its owner alone, and so are missing directories.
 * Two processes that make it at once get the same.
 *
 * @throws {PeerError} `bad-identity-file`: not readable or writable, open to other users, not an identity, of a newer version
 */
export async function loadOrCreateIdentity(path: string): Promise<KeptIdentity> {
  return fromDocument((await load(path)) ?? (await create(path)));
}

/**
 * The identity in this file, as {@link loadOrCreateIdentity}, with a new secret: tickets printed before let nobody in any more.
 * The key stays.
 */
export async function rotateSecret(path: string): Promise<KeptIdentity> {
  const kept = await load(path);
  if (!kept) return fromDocument(await create(path));
  const document = { ...kept, secret: randomBytes(SECRET_BYTES) };
  // A link to the file stays a link.
  await explained(path, async () => write(await realpath(path), document, replace));
  return fromDocument(document);
}

/** Where a user's own identity is kept unless told otherwise: under `XDG_CONFIG_HOME`, which is ~/.config where it is not set. */
export function defaultIdentityPath(env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CONFIG_HOME: config = "" } = env;
  // The XDG Base Directory Specification has relative paths ignored.
  return join(isAbsolute(config) ? config : join(homedir(), ".config"), "awl", "identity.json");
}

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

function newDocument(): IdentityDocument {
  return { seed: randomBytes(SEED_BYTES), secret: randomBytes(SECRET_BYTES) };
}

function fromDocument({ seed, secret }: IdentityDocument): KeptIdentity {
  return { identity: identityFromSeed(seed), secret: Uint8Array.from(secret) };
}

/** `undefined`: there is no such file. */
async function load(path: string): Promise<IdentityDocument | undefined> {
  const text = await explained(path, () => read(path));
  if (text === undefined) return undefined;
  try {
    return parseIdentityDocument(text);
  } catch (error) {
    if (error instanceof PeerError) throw new PeerError(error.code, `${path} ${error.message}`);
    throw error;
  }
}

async function read(path: string): Promise<string | undefined> {
  // Not to wait for who writes into it, if it is a pipe.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new PeerError("bad-identity-file", `${path} is not a file`);
    // As ssh does: a key that others could have read is not a proof of anything. Windows has no such bits.
    if (process.platform !== "win32" && (status.mode & OTHERS) !== 0) {
      throw new PeerError(
        "bad-identity-file",
        `${path} is open to other users: chmod 600 it, or make a new identity if they are not trusted`,
      );
    }
    const buffer = Buffer.alloc(MAX_DOCUMENT_LENGTH);
    const { bytesRead } = await file.read(buffer, 0, MAX_DOCUMENT_LENGTH, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function create(path: string): Promise<IdentityDocument> {
  const document = newDocument();
  const created = await explained(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return write(path, document, linkNew);
  });
  // Somebody else was faster: theirs is the one.
  return created ? document : ((await load(path)) ?? document);
}

/** Whole or not at all: into another file first, which then takes the name. @returns false: there is such a file already */
async function write(path: string, document: IdentityDocument, name: (from: string, to: string) => Promise<boolean>): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(draft, "wx", OWNER_ONLY);
    try {
      await file.writeFile(formatIdentityDocument(document));
      await file.sync();
    } finally {
      await file.close();
    }
    return await name(draft, path);
  } finally {
    await unlink(draft).catch(() => {});
  }
}

/** Unlike a renaming, a link never replaces a file. Where the file system has no links, a renaming has to do. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    return replace(from, to);
  }
}

async function replace(from: string, to: string): Promise<boolean> {
  await rename(from, to);
  return true;
}

async function explained<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof PeerError) throw error;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new PeerError("bad-identity-file", `cannot use ${path}: ${REASONS[code] ?? code}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  ELOOP: "too many links",
  ENAMETOOLONG: "the name is too long",
};
