/**
 * A router behaviour as nftables text. The kernel alone can only do two things: `masquerade`
 * (endpoint-independent, port-preserving, filtered by conntrack) and `fully-random` (a port a flow).
 * Everything else remembers: the kernel picks the port, a chain behind the translation learns it
 * into maps, and later flows are translated from those.
 *
 *   out   inside endpoint (. remote address)  ->  external port       the mapping
 *   in    external port                       ->  inside endpoint     who gets what arrives there
 *   own   external port . inside endpoint                             proof that `in` is ours
 *   perm  external port . remote address                              address-dependent filtering
 */
import type { RouterBehaviour, Translation } from "../grid/nat-kinds.js";

/**
 * External ports of the random kinds. Outside 32768-60999, the client's own ephemeral ports:
 * the kernel keeps a source port that already lies in the range.
 */
export const EXTERNAL_PORTS = { first: 10_000, last: 29_999 } as const;

/** Ports that a sequential kind counts through, from the first of those. */
const COUNTED_PORTS = 1_000;

/** A loop that leads what the LAN sends to the external address out through one end and back in through the other. */
export const HAIRPIN = { out: "hp0", in: "hp1" } as const;

const TABLE = "ip awl";
const TABLE6 = "ip6 awl";
const LOSS_TABLE = "inet awl_loss";

/** The whole ruleset of one router whose WAN address is `external`. */
export function ruleset(behaviour: RouterBehaviour, external: string): string {
  const unbuilt = unbuiltIn(behaviour);
  if (unbuilt) throw new RangeError(`no ruleset for ${unbuilt}`);
  if (behaviour.nat === null && behaviour.filtering === "endpoint-independent") return "";
  const nat = behaviour.nat === null ? [] : translation(behaviour.nat, behaviour, external);
  return block(`table ${TABLE}`, [...nat, ...input(behaviour, external), ...forward(behaviour)]).join("\n");
}

/** The ruleset of a router that forwards IPv6 and translates nothing. */
export function ruleset6({ filtering }: RouterBehaviour): string {
  if (filtering === "endpoint-independent") return "";
  return block(`table ${TABLE6}`, [
    // Neighbours are found by ICMPv6.
    ...block("chain input", [hook("filter", "input", "filter"), "meta l4proto ipv6-icmp accept", 'iifname "wan" counter drop']),
    ...block("chain forward", [
      hook("filter", "forward", "filter", "drop"),
      "ct state established,related accept",
      'iifname "lan" oifname "wan" accept',
    ]),
  ]).join("\n");
}

/** What only the simulator has. */
function unbuiltIn({ nat, filtering, refresh }: RouterBehaviour): string | undefined {
  if (nat?.pool || nat?.overloads) return "pooled addresses and overloaded ports";
  if (nat === null && filtering === "address-dependent") return "an address-dependent firewall";
  return refresh === "outbound" ? "mappings that only what goes out refreshes" : undefined;
}

/** nft commands that make a router forget what it learned. Conntrack is flushed apart. */
export function forget(behaviour: RouterBehaviour): string {
  const memory = memoryOf(behaviour);
  const names = [...(memory.out ? ["map out"] : []), ...(memory.in ? ["map in", "set own"] : [])];
  if (memory.perm) names.push("set perm");
  return names.map((name) => `flush ${name.replace(" ", ` ${TABLE} `)}\n`).join("");
}

/** nft commands that lose `percent` of what passes the WAN, each way. 0 removes the loss. */
export function loss(percent: number): string {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`loss of ${percent} %`);
  // Declared before it is deleted, because deleting a table that is not there is an error.
  const remove = `table ${LOSS_TABLE}\ndelete table ${LOSS_TABLE}\n`;
  if (percent === 0) return remove;
  // A dice that always falls below its range is one that nft refuses.
  const dice = percent === 100 ? "drop" : `numgen random mod 10000 < ${Math.round(percent * 100)} drop`;
  return `${remove}${block(`table ${LOSS_TABLE}`, [
    ...block("chain arriving", [hook("filter", "prerouting", "mangle"), `iifname "wan" ${dice}`]),
    ...block("chain leaving", [hook("filter", "postrouting", "mangle"), `oifname "wan" ${dice}`]),
  ]).join("\n")}\n`;
}

/** Conntrack times that let a mapping live as long as the behaviour says. */
export function conntrackSysctls(behaviour: RouterBehaviour): Record<string, number> {
  const seconds = behaviour.lifetimeSeconds;
  return { "net.netfilter.nf_conntrack_udp_timeout": seconds, "net.netfilter.nf_conntrack_udp_timeout_stream": seconds };
}

/** Which of the maps a behaviour needs. */
interface Memory {
  readonly out: boolean;
  readonly in: boolean;
  readonly perm: boolean;
}

function memoryOf({ nat, filtering }: RouterBehaviour): Memory {
  if (nat === null) return { out: false, in: false, perm: false };
  const conntrackFilters = filtering === "address-and-port-dependent";
  const masquerades = nat.mapping === "endpoint-independent" && nat.allocation === "preserving" && conntrackFilters;
  const out = nat.mapping !== "address-and-port-dependent" && !masquerades;
  return { out, in: out || !conntrackFilters, perm: filtering === "address-dependent" };
}

function translation(nat: Translation, behaviour: RouterBehaviour, external: string): string[] {
  const memory = memoryOf(behaviour);
  return [
    ...declarations(nat, memory, behaviour.lifetimeSeconds),
    ...(behaviour.filtering === "address-and-port-dependent" ? [] : destinationNat(behaviour, memory, external)),
    ...sourceNat(nat, behaviour, memory, external),
    ...(memory.in ? learning(nat, behaviour, memory) : []),
  ];
}

function declarations(nat: Translation, memory: Memory, lifetimeSeconds: number): string[] {
  // 4096 elements cost half a megabyte a router, 65535 eight.
  const set = (name: string, type: string) =>
    block(name, [`type ${type}`, "flags dynamic,timeout", `timeout ${lifetimeSeconds}s`, "size 4096"]);
  const outKey = nat.mapping === "address-dependent" ? "ipv4_addr . inet_service . ipv4_addr" : "ipv4_addr . inet_service";
  return [
    ...(memory.out ? set("map out", `${outKey} : inet_service`) : []),
    ...(memory.in ? set("map in", "inet_service : ipv4_addr . inet_service") : []),
    ...(memory.in ? set("set own", "inet_service . ipv4_addr . inet_service") : []),
    ...(memory.perm ? set("set perm", "inet_service . ipv4_addr") : []),
  ];
}

/** What nothing inside has asked for is let in to whoever owns the external port. */
function destinationNat(behaviour: RouterBehaviour, memory: Memory, external: string): string[] {
  const permitted = memory.perm ? "udp dport . ip saddr @perm " : "";
  return block("chain dstnat", [
    hook("nat", "prerouting", "dstnat"),
    `iifname ${entrances(behaviour)} ip daddr ${external} ${permitted}dnat ip to udp dport map @in`,
  ]);
}

function sourceNat(nat: Translation, behaviour: RouterBehaviour, memory: Memory, external: string): string[] {
  const keep = memory.in ? `meta l4proto udp udp sport != @in snat to ${external}` : `meta l4proto udp snat to ${external}`;
  return block("chain srcnat", [
    hook("nat", "postrouting", "srcnat"),
    `oifname != ${exits(behaviour)} accept`,
    `meta l4proto != udp snat to ${external}`,
    ...(memory.out ? [`meta l4proto udp snat ip to ${external} : ${outKey(nat, "ip saddr . udp sport")} map @out`] : []),
    ...(nat.allocation === "preserving" ? [keep] : []),
    `meta l4proto udp snat to ${external}${freshPort(nat)}`,
  ]);
}

function freshPort({ allocation }: Translation): string {
  if (allocation !== "sequential") return `:${EXTERNAL_PORTS.first}-${EXTERNAL_PORTS.last} fully-random`;
  // Without a map nft 1.0.6 swaps the bytes of the port.
  const ports = Array.from({ length: COUNTED_PORTS }, (_, i) => `${i} : ${EXTERNAL_PORTS.first + i}`);
  return ` : numgen inc mod ${COUNTED_PORTS} map { ${ports.join(", ")} }`;
}

/**
 * Runs behind the translation, so `udp sport` is the external port already.
 *
 * Two inside endpoints may be given one port towards different peers; the second must not take it
 * over, so its packet is dropped and a retransmission draws again. That check reads `in`, then `own`,
 * hence `own` is written first: with `in` first, another packet of the same socket on another core
 * would find the port taken and itself not the owner.
 */
function learning(nat: Translation, behaviour: RouterBehaviour, memory: Memory): string[] {
  const learn = (direction: "original" | "reply") => {
    const inside = `ct ${direction} ip saddr . ct ${direction} proto-src`;
    // proto-src as a key is only understood in a rule that names the protocol itself.
    const when = `meta l4proto udp ct direction ${direction}`;
    return [
      `${when} update @own { udp sport . ${inside} }`,
      `${when} update @in { udp sport : ${inside} }`,
      ...(memory.out ? [`${when} update @out { ${outKey(nat, inside)} : udp sport }`] : []),
    ];
  };
  const inside = "ct original ip saddr . ct original proto-src";
  return block("chain learn", [
    hook("filter", "postrouting", "110"),
    `oifname != ${exits(behaviour)} accept`,
    "meta l4proto != udp accept",
    `meta l4proto udp ct direction original udp sport @in udp sport . ${inside} != @own counter drop`,
    ...learn("original"),
    // The flow of an unsolicited peer: what we answer is its reply direction, and renews the mapping too.
    ...learn("reply"),
    ...(memory.perm ? ["update @perm { udp sport . ip daddr }"] : []),
  ]);
}

function input(behaviour: RouterBehaviour, external: string): string[] {
  const wan = entrances(behaviour);
  const closed = [`iifname ${wan} ct state established,related accept`, `iifname ${wan} counter drop`];
  return block("chain input", [
    hook("filter", "input", "filter"),
    // Even a dropped packet would be confirmed if it were dropped any later than here.
    ...(behaviour.unsolicited === "drop" ? closed : []),
    // Without a hairpin, what a LAN host sends to the external address must not become a flow of the router's own.
    `iifname "lan" ip daddr ${external} meta l4proto udp counter drop`,
  ]);
}

function forward(behaviour: RouterBehaviour): string[] {
  const { nat, filtering, udp } = behaviour;
  return block("chain forward", [
    hook("filter", "forward", "filter", "drop"),
    ...(udp === "block" ? ["meta l4proto udp counter drop"] : []),
    "ct state established,related accept",
    `iifname "lan" oifname ${exits(behaviour)} accept`,
    ...(nat !== null && filtering !== "address-and-port-dependent" ? [`iifname ${entrances(behaviour)} ct status dnat accept`] : []),
  ]);
}

/** Where packets from outside come in, as nftables writes it. */
const entrances = ({ hairpin }: RouterBehaviour) => (hairpin ? `{ "wan", "${HAIRPIN.in}" }` : '"wan"');

/** Where packets leave translated. */
const exits = ({ hairpin }: RouterBehaviour) => (hairpin ? `{ "wan", "${HAIRPIN.out}" }` : '"wan"');

const outKey = (nat: Translation, inside: string) => (nat.mapping === "address-dependent" ? `${inside} . ip daddr` : inside);

const hook = (type: string, at: string, priority: string, policy = "accept") =>
  `type ${type} hook ${at} priority ${priority}; policy ${policy};`;

const block = (head: string, body: readonly string[]) => [`${head} {`, ...body.map((line) => `  ${line}`), "}"];
