import { otherRole, type Role } from "./role.js";

/** What one side sends with is what the other receives with. 32 bytes each. */
export interface DirectionKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/** Secrets of one session that only its two peers know. */
export interface SessionKeys {
  /** For the integrity of connectivity checks. */
  readonly checks: DirectionKeys;
  /** For sealed datagrams. */
  readonly datagrams: DirectionKeys;
  /** 32 bytes, the same on both sides: for meeting again without the ticket. */
  readonly resumption: Uint8Array;
  /** 16 bytes, the same on both sides, unguessable; need not be kept secret. */
  readonly sessionId: Uint8Array;
}

/** Bytes that only the two ends of this TLS session can compute, independent for each label. RFC 8446 section 7.5. */
export type ExportSecret = (length: number, label: string) => Uint8Array;

export function deriveSessionKeys(role: Role, exportSecret: ExportSecret): SessionKeys {
  const both = (purpose: string): DirectionKeys => ({
    send: exportSecret(32, exporterLabel(`${purpose} of the ${role}`)),
    receive: exportSecret(32, exporterLabel(`${purpose} of the ${otherRole(role)}`)),
  });
  return {
    checks: both("checks"),
    datagrams: both("datagrams"),
    resumption: exportSecret(32, exporterLabel("resumption")),
    sessionId: exportSecret(16, exporterLabel("session id")),
  };
}

/** RFC 5705 section 4 sets labels that begin so aside for private use. */
export function exporterLabel(purpose: string): string {
  return `EXPERIMENTAL awl/1 ${purpose}`;
}
