import { Data, type Endpoint, encodeMessage, Method, type StunMessage, XorPeerAddress } from "@awl/wire";

/** RFC 8656 section 11.1. */
export function sendIndication(transactionId: Buffer, to: Endpoint, bytes: Uint8Array): Buffer {
  return encodeMessage({ method: Method.Send, class: "indication", transactionId, attributes: [XorPeerAddress.of(to), Data.of(bytes)] });
}

/** Asks for nothing, and keeps mappings alive: RFC 8445 section 11. */
export function bindingIndication(transactionId: Buffer): Buffer {
  return encodeMessage({ method: Method.Binding, class: "indication", transactionId });
}

/**
 * RFC 8656 section 11.4; `undefined` for every other indication. One with ICMP in place of DATA says that a datagram did not get
 * through, as happens now and then.
 */
export function readDataIndication(message: StunMessage): { readonly from: Endpoint; readonly bytes: Buffer } | undefined {
  const from = message.get(XorPeerAddress);
  const bytes = message.get(Data);
  return message.method === Method.Data && from && bytes ? { from, bytes: bytes as Buffer } : undefined;
}
