import type { Socket } from "node:dgram";
import type { EventEmitter } from "node:events";
import { createRequire } from "node:module";

/** What the tests use of the npm package `stun`, which brings no types. */
export interface StunPackage {
  createMessage(type: number, transactionId?: Buffer): PackageRequest;
  createServer(options: { type: "udp4"; socket: Socket }): PackageServer;
  decode(message: Buffer): PackageMessage;
  encode(message: PackageMessage): Buffer;
  request(url: string, options?: { retries?: number; timeout?: number }): Promise<PackageMessage>;
  validateFingerprint(message: PackageMessage): boolean;
  validateMessageIntegrity(message: PackageMessage, key: string | Buffer): boolean;
}

export interface PackageMessage {
  readonly type: number;
  readonly transactionId: Buffer;
  getAttribute(type: number): { readonly value: unknown } | undefined;
  getXorAddress(): PackageAddress;
}

export interface PackageAddress {
  readonly address: string;
  readonly port: number;
}

export interface PackageRequest extends PackageMessage {
  addAttribute(type: number, ...values: unknown[]): unknown;
  addFingerprint(): boolean;
  addMessageIntegrity(key: string | Buffer): boolean;
  addSoftware(software: string): unknown;
  addXorAddress(address: string, port: number): unknown;
  toBuffer(): Buffer;
}

export interface PackageServer extends EventEmitter {
  send(message: PackageRequest, port: number, address: string): boolean;
  close(): void;
}

export const stun: StunPackage = createRequire(import.meta.url)("stun");
