import { constants, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { type ConnectionOptions, connect, TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { PSK_IDENTITY } from "../../handshake/psk.js";
import { type Link, makeLink } from "./hostile-link.test-support.js";
import { startPskSession } from "./tls.js";

const PSK = new Uint8Array(32).fill(7);

/** A client of the test's own making against our listener. */
async function againstListener(options: ConnectionOptions, link = makeLink()) {
  const listener = startPskSession("listener", link.listener.duplex, PSK);
  const client = connect({ socket: link.connector.duplex, rejectUnauthorized: false, checkServerIdentity: () => undefined, ...options });
  return { listener, client, accepted: await secured(listener.socket, client) };
}

const withPsk = { pskCallback: () => ({ psk: PSK, identity: PSK_IDENTITY }) };

/** Whether the first of the two came to the end of its handshake. */
async function secured(first: TLSSocket, second: TLSSocket): Promise<boolean> {
  for (const socket of [first, second]) socket.on("error", () => {});
  first.resume();
  second.resume();
  try {
    await once(first, "secure");
    return true;
  } catch {
    return false;
  }
}

describe("our listener", () => {
  test("accepts its key, with forward secrecy and no certificate", async () => {
    const { listener, client, accepted } = await againstListener(withPsk);
    expect([accepted, listener.isProven()]).toEqual([true, true]);
    expect(listener.socket.getProtocol()).toBe("TLSv1.3");
    expect(client.getEphemeralKeyInfo()).toMatchObject({ type: "ECDH", name: "X25519" });
    expect(client.getPeerCertificate()).toEqual({});
    listener.socket.destroy();
  });

  test("does a Diffie-Hellman exchange even with a client that would do without", async () => {
    const { listener, client, accepted } = await againstListener({ ...withPsk, secureOptions: constants.SSL_OP_ALLOW_NO_DHE_KEX });
    expect(accepted).toBe(true);
    expect(client.getEphemeralKeyInfo()).toMatchObject({ type: "ECDH", name: "X25519" });
    listener.socket.destroy();
  });

  test.each<[string, ConnectionOptions]>([
    ["no key at all", {}],
    ["another name of the key", { pskCallback: () => ({ psk: PSK, identity: "awl/2" }) }],
    ["TLS 1.2", { ...withPsk, minVersion: "TLSv1.2", maxVersion: "TLSv1.2", ciphers: "ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256" }],
    ["other groups", { ...withPsk, ecdhCurve: "P-384" }],
    ["other ciphers", { ...withPsk, ciphers: "TLS_AES_256_GCM_SHA384" }],
  ])("refuses %s", async (_what, options) => {
    const { accepted } = await againstListener(options);
    expect(accepted).toBe(false);
  });

  test("refuses the session ticket of an earlier handshake", async () => {
    const link = makeLink();
    const sessions: Buffer[] = [];
    const listener = startPskSession("listener", link.listener.duplex, PSK);
    const client = connect({ socket: link.connector.duplex, ca: [], ...withPsk, checkServerIdentity: () => undefined });
    client.on("session", (session) => sessions.push(session));
    await secured(listener.socket, client);
    await expect.poll(() => sessions.length).toBeGreaterThan(0);
    listener.socket.destroy();

    const session = sessions[0] as Buffer;
    const again = await againstListener({ session, minVersion: "TLSv1.3" });
    expect(again.accepted).toBe(false);
  });
});

describe("our connector", () => {
  const hostile = (link: Link, options: object) => new TLSSocket(link.listener.duplex, { isServer: true, ...options });

  test("refuses a server that shows a certificate in place of the key", async () => {
    const link = makeLink();
    const server = hostile(link, certificate());
    const connector = startPskSession("connector", link.connector.duplex, PSK);
    await secured(connector.socket, server);
    expect(connector.isProven()).toBe(false);
    await once(connector.socket, "close");
  });

  test("refuses a server that speaks TLS 1.2", async () => {
    const link = makeLink();
    const server = hostile(link, { ...certificate(), maxVersion: "TLSv1.2" });
    const connector = startPskSession("connector", link.connector.duplex, PSK);
    expect(await secured(connector.socket, server)).toBe(false);
  });
});

/** A self-signed certificate, as small as X.509 (RFC 5280 section 4.1) lets it be. */
function certificate(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const der = (tag: number, ...parts: readonly Uint8Array[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([body.length < 128 ? Buffer.of(tag, body.length) : Buffer.of(tag, 0x81, body.length), body]);
  };
  const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
  const algorithm = sequence(der(0x06, Buffer.from("2b6570", "hex")));
  const name = sequence(der(0x31, sequence(der(0x06, Buffer.from("550403", "hex")), der(0x0c, Buffer.from("localhost")))));
  const validity = sequence(der(0x17, Buffer.from("250101000000Z")), der(0x17, Buffer.from("491231235959Z")));
  const key = publicKey.export({ format: "der", type: "spki" });
  const signed = sequence(der(0x02, Buffer.of(1)), algorithm, name, validity, name, key);
  const cert = sequence(signed, algorithm, der(0x03, Buffer.of(0), sign(null, signed, privateKey)));
  return {
    key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert.toString("base64")}\n-----END CERTIFICATE-----\n`,
  };
}
