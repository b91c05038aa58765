import { describe, expect, test, vi } from "vitest";
import { Data, ErrorCode, Fingerprint, PasswordAlgorithms, Software } from "./attributes.js";
import { encodeMessage, type MessageFields } from "./encode.js";
import { shortTermKey } from "./integrity.js";
import { decodeMessage, StunMessage } from "./message.js";

const transactionId = Buffer.alloc(12, 1);
const encode = (fields: Partial<MessageFields>) => encodeMessage({ method: 1, class: "request", transactionId, ...fields });
const badAttribute = expect.objectContaining({ name: "WireError", code: "bad-attribute" });

test("a Binding request is twenty bytes", () => {
  expect(encode({}).toString("hex")).toBe(`000100002112a442${"01".repeat(12)}`);
});

test("attributes stand in the order given, padded with zeros; the length counts all but the header", () => {
  const message = encode({ attributes: [Software.of("abcde"), Data.of(Buffer.from([1]))], integrity: [], fingerprint: true });
  expect(message.subarray(20, -8).toString("hex")).toBe("802200056162636465000000" + "0013000101000000");
  expect(message.readUInt16BE(2)).toBe(message.length - 20);
  expect(message.readUInt16BE(message.length - 8)).toBe(Fingerprint.type);
});

// allocUnsafe hands out memory that held other things: a byte that nothing writes would tell a stranger what.
test("leaves no byte unwritten, whatever is asked for", () => {
  const key = shortTermKey("k");
  const everything: Partial<MessageFields>[] = [
    { attributes: [Software.of("abcde"), Data.of(Buffer.alloc(3)), Data.of(Buffer.alloc(0))], fingerprint: true },
    { attributes: [PasswordAlgorithms.of([{ algorithm: 9, parameters: Buffer.alloc(5) }]), ErrorCode.of({ code: 400, reason: "" })] },
    { integrity: (["sha1", "sha256", "sha1"] as const).map((algorithm) => ({ algorithm, key })) },
    { transactionId: Buffer.alloc(16, 2), integrity: [{ algorithm: "sha256", key }], fingerprint: true },
  ];
  const [one, other] = [0xaa, 0x55].map((dirt) => {
    vi.spyOn(Buffer, "allocUnsafe").mockImplementation((size) => Buffer.alloc(size, dirt));
    const written = everything.map(encode);
    vi.restoreAllMocks();
    return written;
  });
  expect(one).toEqual(other);
});

describe("what does not fit is refused", () => {
  test.each([0, 4, 11, 13, 15, 17])("a transaction id of %d bytes", (length) => {
    expect(() => encode({ transactionId: Buffer.alloc(length) })).toThrow(badAttribute);
  });

  test("a message of more than 65,535 bytes; the longest that fits is read back", () => {
    expect(() => encode({ attributes: [Data.of(Buffer.alloc(65532))] })).toThrow(badAttribute);
    expect(() => encode({ attributes: [Data.of(Buffer.alloc(65528))], fingerprint: true })).toThrow(badAttribute);
    const longest = encode({ attributes: [Data.of(Buffer.alloc(65528, 3))] });
    expect(longest).toHaveLength(65552);
    const message = decodeMessage(longest);
    expect(message instanceof StunMessage && message.get(Data)).toEqual(Buffer.alloc(65528, 3));
  });
});
