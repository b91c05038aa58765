import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CertificateFiles } from "../options.js";

/** A self-signed certificate in files, and a way to be rid of them. Made here, for not every machine has openssl's command. */
export function certificateFiles(): CertificateFiles & { remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "awl-tls-"));
  const files = { certFile: join(directory, "cert.pem"), keyFile: join(directory, "key.pem") };
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  writeFileSync(files.keyFile, privateKey.export({ type: "pkcs8", format: "pem" }));

  // RFC 5280 section 4.1, as a version 1 certificate, which has no extensions.
  const name = der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from("localhost")))));
  const validity = der(0x30, der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z")));
  const ecdsaWithSha256 = der(0x30, oid("2a8648ce3d040302"));
  const subjectKey = publicKey.export({ type: "spki", format: "der" });
  const body = der(0x30, der(0x02, Buffer.of(1)), ecdsaWithSha256, name, validity, name, subjectKey);
  const signature = der(0x03, Buffer.of(0), sign("sha256", body, privateKey));
  const base64 = der(0x30, body, ecdsaWithSha256, signature).toString("base64");
  writeFileSync(files.certFile, `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`);
  return { ...files, remove: () => rmSync(directory, { recursive: true }) };
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

/** A tag, a length and what it is the length of. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...header), content]);
}
