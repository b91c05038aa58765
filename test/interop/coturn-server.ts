import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeMessage } from "@awl/wire";
import { loopbackSocket } from "./loopback.js";

export const COTURN = { address: "127.0.0.1", realm: "example.org", username: "ada", password: "lovelace" } as const;

export interface CoturnOptions {
  /** Of time-limited REST credentials, in place of the one user. */
  readonly secret?: string;
  /** How long a nonce is good for, in seconds. @default for ever */
  readonly staleNonce?: number;
}

/** A real coturn on a free loopback port, UDP and TCP, that lets its clients reach loopback; stopped with `await using`. */
export async function startCoturn({ secret, staleNonce }: CoturnOptions = {}): Promise<AsyncDisposable & { port: number; pid: number }> {
  const port = await freePort();
  const home = await mkdtemp(join(tmpdir(), "awl-coturn-"));
  const options = {
    "listening-ip": COTURN.address,
    "listening-port": port,
    realm: COTURN.realm,
    ...(secret === undefined ? { user: `${COTURN.username}:${COTURN.password}` } : { "static-auth-secret": secret }),
    ...(staleNonce !== undefined && { "stale-nonce": staleNonce }),
    "relay-threads": 1,
    pidfile: join(home, "pid"),
    userdb: join(home, "db"),
    "log-file": "stdout",
  };
  const flags = [
    "-n",
    secret === undefined ? "--lt-cred-mech" : "--use-auth-secret",
    "--allow-loopback-peers",
    "--no-tls",
    "--no-dtls",
    "--no-cli",
  ];
  const child = spawn("turnserver", [...flags, ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)], {
    stdio: "ignore",
  });
  // Where it is not installed, nothing answers, and that is the error to show.
  child.once("error", () => {});
  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, "exit");
    }
    await rm(home, { recursive: true, force: true });
  };
  try {
    await answering(port);
  } catch (cause) {
    await stop();
    throw new Error("turnserver does not answer on loopback; is coturn installed?", { cause });
  }
  return { port, pid: child.pid ?? 0, [Symbol.asyncDispose]: stop };
}

/** Free for UDP and TCP, and below the ports that the system hands out, or another program might have it before coturn does. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const tcp = createServer();
  try {
    await using _udp = await loopbackSocket(COTURN.address, port);
    tcp.listen(port, COTURN.address);
    await once(tcp, "listening");
    return true;
  } catch {
    return false;
  } finally {
    tcp.close();
  }
}

/** Fulfilled when something answers a Binding request there. */
async function answering(port: number): Promise<void> {
  await using socket = await loopbackSocket();
  const answer = socket.receive(4000);
  const request = encodeMessage({ method: 1, class: "request", transactionId: Buffer.alloc(12, 1) });
  while ((await Promise.race([answer, sleep(30)])) === undefined) socket.send(request, { address: COTURN.address, port });
}
