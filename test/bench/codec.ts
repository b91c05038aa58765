/** Our STUN codec beside the npm package `stun`: rates in one run, and which of RFC 5769's messages each accepts. */
import { createHmac } from "node:crypto";
import {
  decodeMessage,
  encodeMessage,
  Fingerprint,
  longTermKey,
  Software,
  StunMessage,
  verifyIntegrity,
  XorMappedAddress,
} from "@awl/wire";
import { stun } from "../interop/stun-package.js";
import { ICE_PASSWORD, LONG_TERM, rfc5769 } from "../interop/vectors.js";
import { table } from "../table.js";
import { type Contest, compare, measure } from "./compare.js";

/** The ratio to reach, everywhere. */
const GOAL = 10;

const BINDING_SUCCESS = 0x0101;
const mapped = { address: "192.0.2.1", port: 32853 };
const transactionId = Buffer.from("b7e7a701bc34d686fa87dfae", "hex");
const key = Buffer.from(ICE_PASSWORD);

/** What a Binding success response carries beside its XOR-MAPPED-ADDRESS. */
interface Extras {
  readonly software?: boolean;
  readonly integrity?: boolean;
  readonly fingerprint?: boolean;
}

const RESPONSES: readonly (readonly [name: string, extras: Extras])[] = [
  ["XOR-MAPPED-ADDRESS", {}],
  ["+ SOFTWARE", { software: true }],
  ["+ FINGERPRINT", { fingerprint: true }],
  ["+ SOFTWARE, FINGERPRINT", { software: true, fingerprint: true }],
  ["+ MESSAGE-INTEGRITY, FINGERPRINT", { integrity: true, fingerprint: true }],
];

function encodeOurs({ software = false, integrity = false, fingerprint = false }: Extras): Buffer {
  const address = XorMappedAddress.of(mapped);
  return encodeMessage({
    method: 1,
    class: "success",
    transactionId,
    attributes: software ? [Software.of("test vector"), address] : [address],
    integrity: integrity ? [{ algorithm: "sha1", key }] : [],
    fingerprint,
  });
}

function encodeTheirs({ software = false, integrity = false, fingerprint = false }: Extras): Buffer {
  const message = stun.createMessage(BINDING_SUCCESS, transactionId);
  if (software) message.addSoftware("test vector");
  message.addXorAddress(mapped.address, mapped.port);
  if (integrity) message.addMessageIntegrity(key);
  if (fingerprint) message.addFingerprint();
  return message.toBuffer();
}

const read = (bytes: Buffer) => decodeMessage(bytes) as StunMessage;

/** Decoding is decoding and reading the mapped address: what a client does. Ours checks a fingerprint always, the package on request. */
const CONTESTS: readonly Contest[] = [
  ...RESPONSES.map(([name, extras]): Contest => {
    const bytes = encodeOurs(extras);
    return { name: `decode  ${name}`, ours: () => read(bytes).get(XorMappedAddress), theirs: () => stun.decode(bytes).getXorAddress() };
  }),
  {
    name: "decode  + FINGERPRINT, checked by both",
    ours: checkOurs({ fingerprint: true }),
    theirs: checkTheirs({ fingerprint: true }),
  },
  {
    name: "decode  + both, checked by both",
    ours: checkOurs({ integrity: true, fingerprint: true }),
    theirs: checkTheirs({ integrity: true, fingerprint: true }),
  },
  ...RESPONSES.map(
    ([name, extras]): Contest => ({ name: `encode  ${name}`, ours: () => encodeOurs(extras), theirs: () => encodeTheirs(extras) }),
  ),
];

function checkOurs(extras: Extras): () => unknown {
  const bytes = encodeOurs(extras);
  return () => {
    const message = read(bytes);
    return message.get(XorMappedAddress) && (!extras.integrity || verifyIntegrity(message, "sha1", key));
  };
}

function checkTheirs(extras: Extras): () => unknown {
  const bytes = encodeOurs(extras);
  return () => {
    const message = stun.decode(bytes);
    return (
      message.getXorAddress() && stun.validateFingerprint(message) && (!extras.integrity || stun.validateMessageIntegrity(message, key))
    );
  };
}

export function run(print: (line: string) => void): void {
  print(`Binding success responses, thousands a second and core; medians of interleaved rounds; node ${process.version}\n`);
  const verdicts = compare(CONTESTS);
  const rate = (ns: number) => (1e6 / ns).toFixed(0);
  const rows = verdicts.map(({ name, ours, theirs, ratio }) => [name, rate(ours), rate(theirs), `${ratio.toFixed(1)}x`]);
  print(table([["", "awl", "stun", "ratio"], ...rows]));

  const below = verdicts.filter(({ ratio }) => ratio < GOAL).map(({ name }) => name.replace(/ +/g, " "));
  print(`\ngoal ${GOAL}x: ${below.length === 0 ? "reached everywhere" : `missed by ${below.join("; ")}`}`);
  const hmac = measure(() => createHmac("sha1", key).update(transactionId).digest());
  print(`(one HMAC-SHA1 of node:crypto, which both call, takes ${(hmac / 1000).toFixed(1)} us)`);

  print("\nRFC 5769, accepted (fingerprint and integrity)\n");
  print(
    table([
      ["", "awl", "stun"],
      ...[...rfc5769()].map(([name, bytes]) => [name, yes(weAccept(name, bytes)), yes(theyAccept(name, bytes))]),
    ]),
  );
}

function keyOf(name: string): Buffer {
  return name === "long-term request" ? longTermKey(LONG_TERM.username, LONG_TERM.realm, LONG_TERM.password) : key;
}

function weAccept(name: string, bytes: Buffer): boolean {
  const message = decodeMessage(bytes);
  return message instanceof StunMessage && verifyIntegrity(message, "sha1", keyOf(name));
}

function theyAccept(name: string, bytes: Buffer): boolean {
  const message = stun.decode(bytes);
  const hasFingerprint = message.getAttribute(Fingerprint.type) !== undefined;
  return (!hasFingerprint || stun.validateFingerprint(message)) && stun.validateMessageIntegrity(message, keyOf(name));
}

const yes = (accepted: boolean) => (accepted ? "yes" : "no");
