import type { ReflectionLimits } from "../stun/rate-limit.js";

/** What the relay grants. A request above a limit is answered with an error, data above one is dropped; both are counted. */
export interface TurnLimits {
  /** Allocations, reserved ports included, in all: 508. @default 10000 */
  readonly allocations: number;
  /** Allocations of one user, reserved ports included: 486. @default 64 */
  readonly allocationsPerUser: number;
  /** Peer addresses that one allocation may exchange data with: 508. @default 128 */
  readonly permissionsPerAllocation: number;
  /** Permissions in all: 508. @default 100000 */
  readonly permissions: number;
  /** Channels of one allocation: 508. @default 128 */
  readonly channelsPerAllocation: number;
  /** Channels in all: 508. @default 100000 */
  readonly channels: number;
  /** Users remembered: those with allocations, and those who have used some of their byte quota. 508 if all have allocations. @default 20000 */
  readonly users: number;
  /** Bytes a second of one user, both directions together. @default 16777216 */
  readonly userByteRate: number;
  /** Bytes at once of one user. @default 16777216 */
  readonly userByteBurst: number;
  /** Bytes a second of all users together. @default 134217728 */
  readonly byteRate: number;
  /** Bytes at once of all users together. @default 134217728 */
  readonly byteBurst: number;
  /** Bytes that one side of a pair of peers may relay, both directions together, before it needs another credential. @default 8589934592 */
  readonly pairBytes: number;
  /** TCP and TLS connections, in all; more are closed at once. @default 4096 */
  readonly connections: number;
  /** The same from one source, an IPv4 address or an IPv6 /56. @default 256 */
  readonly connectionsPerAddress: number;
  /** How long a connection may be without an allocation, milliseconds. @default 30000 */
  readonly connectionIdleMs: number;
}

export const DEFAULT_TURN_LIMITS: TurnLimits = {
  allocations: 10_000,
  allocationsPerUser: 64,
  permissionsPerAllocation: 128,
  permissions: 100_000,
  channelsPerAllocation: 128,
  channels: 100_000,
  users: 20_000,
  userByteRate: 16 * 2 ** 20,
  userByteBurst: 16 * 2 ** 20,
  byteRate: 128 * 2 ** 20,
  byteBurst: 128 * 2 ** 20,
  pairBytes: 8 * 2 ** 30,
  connections: 4096,
  connectionsPerAddress: 256,
  connectionIdleMs: 30_000,
};

/** How often those are answered who have not proven anything yet: their addresses can be forged. */
export const STRANGER_LIMITS: Partial<ReflectionLimits> = { prefixRate: 200, prefixBurst: 400, globalRate: 2000, globalBurst: 2000 };
