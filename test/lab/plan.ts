/**
 * What to build, collected before anything is built: a whole topology then comes up in one shell
 * script with a few batched processes, instead of a process for every address.
 */

/** One end of a cable: an interface in a network namespace. */
export interface Plug {
  readonly netns: string;
  readonly name: string;
}

interface Interior {
  readonly ip: string[];
  readonly sysctl: string[];
  readonly nft: string[];
}

/** Fixed, or a bridge takes the lowest address of its ports and neighbours send to a dead one for seconds. */
const BRIDGE_MAC = "02:00:00:00:00:01";

export class Plan {
  readonly #namespaces: string[] = [];
  readonly #cables: string[] = [];
  readonly #interiors = new Map<string, Interior>();

  namespace(name: string): void {
    this.#namespaces.push(`netns add ${name}`);
    this.ip(name, "link set lo up");
  }

  cable(a: Plug, b: Plug): void {
    this.#cables.push(`link add name ${a.name} netns ${a.netns} type veth peer name ${b.name} netns ${b.netns}`);
    for (const { netns, name } of [a, b]) this.ip(netns, `link set ${name} up`);
  }

  bridge({ netns, name }: Plug): void {
    this.ip(netns, `link add name ${name} address ${BRIDGE_MAC} type bridge`, `link set ${name} up`);
  }

  /** Lines for `ip -batch`, in order. */
  ip(netns: string, ...lines: readonly string[]): void {
    this.#interior(netns).ip.push(...lines);
  }

  nft(netns: string, text: string): void {
    if (text !== "") this.#interior(netns).nft.push(text);
  }

  sysctl(netns: string, values: Readonly<Record<string, number>>): void {
    for (const [key, value] of Object.entries(values)) {
      this.#interior(netns).sysctl.push(`echo ${value} > /proc/sys/${key.replaceAll(".", "/")}`);
    }
  }

  /** The script, for a shell that stands above the namespaces. */
  script(): string {
    const outer = [...this.#namespaces, ...this.#cables];
    const inner = [...this.#interiors].map(([netns, interior]) => inNamespace(netns, interiorScript(interior)));
    return [heredoc("ip -batch -", "OUTER", outer), ...inner].join("\n");
  }

  #interior(netns: string): Interior {
    let interior = this.#interiors.get(netns);
    if (interior === undefined) {
      interior = { ip: [], sysctl: [], nft: [] };
      this.#interiors.set(netns, interior);
    }
    return interior;
  }
}

/** Shell commands inside a network namespace, for a script that stands above it. */
export const inNamespace = (netns: string, commands: readonly string[]) =>
  heredoc(`nsenter --net=/run/netns/${netns} sh -eu`, "INSIDE", commands);

/**
 * Routers here have asymmetric paths on purpose, and packets that a bridge forwards must not meet
 * the routers' filters. Whether a file exists depends on the kernel's modules.
 */
const QUIET = `
quiet() { [ ! -e "$1" ] || echo "$2" > "$1"; }
for conf in /proc/sys/net/ipv4/conf/*; do quiet "$conf/rp_filter" 0; quiet "$conf/send_redirects" 0; done
for conf in /proc/sys/net/ipv6/conf/*; do quiet "$conf/accept_dad" 0; done
for family in arptables iptables ip6tables; do quiet "/proc/sys/net/bridge/bridge-nf-call-$family" 0; done
`.trim();

function interiorScript({ ip, sysctl, nft }: Interior): string[] {
  return [
    QUIET,
    heredoc("ip -batch -", "IP", ip),
    ...(nft.length > 0 ? [heredoc("nft -f -", "NFT", nft)] : []),
    // After the rules, because conntrack's knobs appear when a rule first uses it.
    ...sysctl,
  ];
}

const heredoc = (command: string, mark: string, lines: readonly string[]) => [`${command} <<'${mark}'`, ...lines, mark].join("\n");
