/** The system tools that the lab is made of, and where Debian keeps them. */
import { type ExecFileException, execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";

export type ToolsVerdict = { readonly available: true } | { readonly available: false; readonly reason: string };

const PACKAGES: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  ip: "iproute2",
  nft: "nftables",
  conntrack: "conntrack",
  turnserver: "coturn",
  turnutils_natdiscovery: "coturn",
};

/** Debian leaves the sbin directories, where ip and nft live, off an ordinary user's PATH. */
export const SEARCH_PATH = [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].filter(Boolean).join(":");

/** How a lab makes its namespaces. */
export const UNSHARE = ["unshare", "-Urnm", "--pid", "--fork", "--kill-child", "--mount-proc"] as const;

/** Loads only where a NAT can be made. */
const NAT_TABLE = "table ip probe { chain c { type nat hook postrouting priority srcnat; masquerade; }; }";

let ensured: Promise<ToolsVerdict> | undefined;

/**
 * Installs what is missing, where that is possible, and checks that a lab can be made.
 * Call it from one process only: two package managers exclude each other.
 */
export function ensureTools(): Promise<ToolsVerdict> {
  ensured ??= installMissing().then((problem) => (problem === undefined ? checkTools() : no(problem)));
  return ensured;
}

/** Checks that a lab can be made, and installs nothing. */
export async function checkTools(): Promise<ToolsVerdict> {
  if (process.platform !== "linux") return no("the NAT lab needs Linux");
  const tools = missingTools();
  if (tools.length > 0) return no(`missing ${tools.join(", ")}: apt-get install ${packagesOf(tools).join(" ")}`);
  const [file, ...flags] = UNSHARE;
  const namespace = await execute(file, [...flags, "true"]);
  if (namespace !== undefined) return no(`user and network namespaces cannot be made here: ${namespace}`);
  const table = await execute(file, [...flags, "sh", "-euc", `mount -t tmpfs lab /run; nft '${NAT_TABLE}'`]);
  if (table !== undefined) return no(`nftables cannot do NAT in a namespace here: ${table}`);
  return { available: true };
}

async function installMissing(): Promise<string | undefined> {
  const packages = packagesOf(missingTools());
  if (packages.length === 0 || !mayInstall()) return undefined;
  process.stderr.write(`NAT lab: installing ${packages.join(", ")} with apt-get (AWL_NO_INSTALL=1 prevents this)\n`);
  // A mirror that is partly down often still has what we want: the install is the judge.
  await execute("apt-get", ["update", "-q"]);
  const failure = await execute("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages]);
  if (failure !== undefined) return `apt-get could not install ${packages.join(", ")}: ${failure}`;
  // Debian starts a server when it installs one; this one is wanted as a program only.
  const systemd = existsSync("/run/systemd/system");
  if (systemd && packages.includes("coturn")) await execute("systemctl", ["disable", "--now", "coturn"]);
  return undefined;
}

const mayInstall = () =>
  process.platform === "linux" && process.getuid?.() === 0 && process.env.AWL_NO_INSTALL !== "1" && find("apt-get") !== undefined;

const missingTools = () => Object.keys(PACKAGES).filter((tool) => find(tool) === undefined);

const packagesOf = (tools: readonly string[]) => [...new Set(tools.map((tool) => PACKAGES[tool] ?? tool))];

const no = (reason: string): ToolsVerdict => ({ available: false, reason });

function find(tool: string): string | undefined {
  return SEARCH_PATH.split(":").find((directory) => {
    try {
      accessSync(`${directory}/${tool}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The last line of what a failing command said, or undefined if it succeeded. */
function execute(file: string, args: readonly string[]): Promise<string | undefined> {
  const env = { ...process.env, PATH: SEARCH_PATH, DEBIAN_FRONTEND: "noninteractive" };
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: 300_000, maxBuffer: 2 ** 26 }, (error: ExecFileException | null, _stdout, stderr) => {
      resolve(error === null ? undefined : (stderr.trim().split("\n").at(-1) ?? error.message) || error.message);
    });
  });
}
