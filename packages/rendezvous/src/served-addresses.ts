import { type AddressClass, type AddressFamily, addressFamily, canonicalAddress, classifyAddress, parseAddress } from "@awl/wire";
import { RendezvousError } from "./errors.js";
import type { StunAddress } from "./stun/sockets.js";

/** An address that is served; `alternate` is an index into the same list. */
export type ServedAddress = StunAddress;

/** A public address that a 1:1 NAT has for this host. */
export interface ExternalIp {
  readonly publicAddress: string;
  /** The address of this host behind it. @default the only one of its family that is served, loopback not counted */
  readonly localAddress?: string | undefined;
}

/**
 * Decides which addresses are served, under which public addresses, and which are each other's alternates.
 * The first of the list is the one that the rendezvous is announced by.
 *
 * @param hosts the addresses asked for; none: all of `hostAddresses`
 * @throws {RendezvousError} `bad-option`
 */
export function servedAddresses(
  hosts: readonly string[],
  altHost: string | undefined,
  externalIps: readonly ExternalIp[],
  hostAddresses: readonly string[],
): ServedAddress[] {
  const explicit = hosts.length > 0;
  const chosen = explicit ? hosts.map((host) => bindable("--host", host)) : discovered(hostAddresses);
  const alternate = altHost === undefined ? undefined : bindable("--alt-host", altHost);
  const addresses = [...new Set(alternate === undefined ? chosen : [...chosen, alternate])];
  if (addresses.length === 0) throw new RendezvousError("bad-option", "this host has no address to serve: name one with --host");

  const publicOf = externalMap(externalIps, addresses);
  const served = addresses.map((address) => ({ address, publicAddress: publicOf.get(address) ?? address }));
  const pairs = new Map([...pairUp(4, served, alternate, explicit), ...pairUp(6, served, alternate, explicit)]);
  return served.map(({ address, publicAddress }) => ({ address, publicAddress, alternate: pairs.get(address) }));
}

interface Mapped {
  readonly address: string;
  readonly publicAddress: string;
}

/** For the addresses of one family that have an alternate, its index in `served`. */
function pairUp(family: AddressFamily, served: readonly Mapped[], altHost: string | undefined, explicit: boolean): Map<string, number> {
  const own = served.filter(({ address }) => addressFamily(address) === family);
  const named = own.find(({ address }) => address === altHost);
  const others = explicit ? own : own.filter(isGlobal);
  const first = named ? partnerOf(named, own) : others[0];
  const second = named ?? others[1];
  if (!first || !second) return new Map();
  if (first.publicAddress === second.publicAddress) {
    throw new RendezvousError("bad-option", `--external-ip gives ${first.address} and its alternate ${second.address} one public address`);
  }
  const toFirst = served.indexOf(first);
  const pairs = new Map(explicit || isGlobal(first) ? others.map(({ address }) => [address, toFirst]) : []);
  return pairs.set(second.address, toFirst).set(first.address, served.indexOf(second));
}

/** Of addresses that nobody named, only these are known to reach the same clients: all of them. */
function isGlobal({ publicAddress }: Mapped): boolean {
  return classifyAddress(publicAddress) === "global";
}

/** The first address of the same class as --alt-host, which the same clients can then reach; else the first. */
function partnerOf(named: Mapped, own: readonly Mapped[]): Mapped {
  const others = own.filter((other) => other !== named);
  const kind = classifyAddress(named.publicAddress);
  const partner = others.find(({ publicAddress }) => classifyAddress(publicAddress) === kind) ?? others[0];
  if (partner) return partner;
  throw new RendezvousError("bad-option", `--alt-host ${named.address} needs another address of its family to be the alternate of`);
}

/** The public address of each address behind a 1:1 NAT. */
function externalMap(externalIps: readonly ExternalIp[], addresses: readonly string[]): Map<string, string> {
  const publicOf = new Map<string, string>();
  for (const external of externalIps) {
    const publicAddress = bindable("--external-ip", external.publicAddress);
    const local =
      external.localAddress === undefined ? onlyLocal(publicAddress, addresses) : bindable("--external-ip", external.localAddress);
    if (!addresses.includes(local)) throw new RendezvousError("bad-option", `--external-ip: ${local} is not an address that is served`);
    if (addressFamily(local) !== addressFamily(publicAddress)) {
      throw new RendezvousError("bad-option", `--external-ip: ${publicAddress} and ${local} are of different families`);
    }
    if (publicOf.has(local)) throw new RendezvousError("bad-option", `--external-ip gives ${local} two public addresses`);
    publicOf.set(local, publicAddress);
  }
  return publicOf;
}

function onlyLocal(publicAddress: string, addresses: readonly string[]): string {
  const family = addressFamily(publicAddress);
  const own = addresses.filter((address) => addressFamily(address) === family);
  const outward = own.filter((address) => classifyAddress(address) !== "loopback");
  const [only, ...more] = outward.length > 0 ? outward : own;
  if (only !== undefined && more.length === 0) return only;
  const served = only === undefined ? "no address" : `${more.length + 1} addresses`;
  throw new RendezvousError("bad-option", `--external-ip ${publicAddress} needs its /LOCAL: ${served} of its family would be served`);
}

/** Canonical text of an address that a socket can be bound to and a client can send to. */
function bindable(option: string, text: string): string {
  if (!parseAddress(text)) throw new RendezvousError("bad-option", `${option} takes an IP address, not '${text}'`);
  const address = canonicalAddress(text);
  const kind = classifyAddress(address);
  if (kind === "unspecified") {
    throw new RendezvousError(
      "bad-option",
      `${option} ${address}: each address is bound by itself, for an answer must leave from the one that was asked; leave --host out to serve all`,
    );
  }
  if (kind === "multicast" || kind === "broadcast") throw new RendezvousError("bad-option", `${option} ${address} is a ${kind} address`);
  if (isLinkLocalIPv6(address))
    throw new RendezvousError("bad-option", `${option} ${address} is link-local: clients elsewhere cannot reach it`);
  return address;
}

/** What this host has, the most widely reachable first, and IPv4 before IPv6: the first is announced. */
function discovered(hostAddresses: readonly string[]): string[] {
  const addresses = hostAddresses.map((text) => canonicalAddress(text)).filter((address) => !isLinkLocalIPv6(address));
  const rank = (address: string) => reach(classifyAddress(address)) * 10 + addressFamily(address);
  return addresses.sort((a, b) => rank(a) - rank(b));
}

function isLinkLocalIPv6(address: string): boolean {
  return addressFamily(address) === 6 && classifyAddress(address) === "link-local";
}

function reach(kind: AddressClass): number {
  if (kind === "global") return 0;
  if (kind === "loopback") return 3;
  return kind === "link-local" ? 2 : 1;
}
