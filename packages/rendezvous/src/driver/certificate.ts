import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { RendezvousError } from "../errors.js";
import type { CertificateFiles } from "../options.js";

/**
 * Loads a certificate chain and its key.
 *
 * @throws {RendezvousError} `bad-certificate`: a file that cannot be read, is not PEM, or does not go with the other one
 */
export async function loadCertificate({ certFile, keyFile }: CertificateFiles): Promise<SecureContext> {
  const cert = await read(certFile);
  const key = await read(keyFile);
  try {
    return createSecureContext({ cert, key, minVersion: "TLSv1.2" });
  } catch (cause) {
    throw new RendezvousError("bad-certificate", `${certFile} and ${keyFile} are no certificate and its key: ${textOf(cause)}`, { cause });
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new RendezvousError("bad-certificate", `cannot read ${path}: ${textOf(cause)}`, { cause });
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
