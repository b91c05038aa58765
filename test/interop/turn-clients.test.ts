/** Our TURN server as coturn's client sees it. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createRendezvous, type Rendezvous } from "@awl/rendezvous";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFiles } from "../../packages/rendezvous/src/driver/certificate.test-support.js";
import { loopbackSocket } from "./loopback.js";

const installed = spawnSync("turnutils_uclient", ["-h"]).error === undefined;
// In CI a missing client is no excuse: the tests fail.
const skip = !installed && process.env.CI !== "true";
if (skip) process.stderr.write("coturn's client tests are skipped: turnutils_uclient is not installed (Debian: apt-get install coturn)\n");

const HOST = "127.0.0.1";
const SECRET = "north remembers";
const hasIPv6 = Object.values(networkInterfaces()).some((list = []) => list.some(({ address }) => address === "::1"));

/** What its client does, by its options. Each of its clients sends five messages and wants them back. */
const VARIANTS = [
  { about: "channels over UDP, DONT-FRAGMENT", options: ["-X", "-g"], messages: 10 },
  { about: "channels over TCP", options: ["-X", "-g", "-t"], messages: 10 },
  { about: "channels over TLS", options: ["-X", "-t", "-S"], messages: 10 },
  { about: "indications over UDP", options: ["-X", "-g", "-s"], messages: 10 },
  { about: "indications over TCP", options: ["-X", "-t", "-s"], messages: 10 },
  { about: "its clients to each other", options: ["-X", "-y"], messages: 20 },
  { about: "its clients to each other, over TCP", options: ["-X", "-y", "-t"], messages: 20 },
  { about: "more requests than it needs", options: ["-X", "-G"], messages: 10 },
  { about: "padded channels over UDP", options: ["-X", "-D"], messages: 10 },
  { about: "IPv6", options: ["-x"], messages: 10 },
  { about: "IPv6 over TCP", options: ["-x", "-t"], messages: 10 },
  { about: "IPv6, its clients to each other", options: ["-x", "-y"], messages: 20 },
];

describe.skipIf(skip)("turnutils_uclient", () => {
  let rendezvous: Rendezvous;
  let certificate: ReturnType<typeof certificateFiles>;
  let peer: Awaited<ReturnType<typeof echoPeer>>;
  beforeAll(async () => {
    certificate = certificateFiles();
    const hosts = hasIPv6 ? [HOST, "::1"] : [HOST];
    rendezvous = await createRendezvous({
      hosts,
      port: 0,
      altPort: 0,
      turnSecrets: [SECRET],
      allowRelayTo: ["127.0.0.0/8", "::1"],
      // It is one user all the time, and leaves its allocations behind.
      turnLimits: { allocationsPerUser: 1000 },
      tls: certificate,
    });
    peer = await echoPeer();
  });
  afterAll(async () => {
    certificate.remove();
    peer[Symbol.dispose]();
    await rendezvous.close();
  });

  const run = async (options: readonly string[], host = HOST) => {
    const where = ["-p", String(rendezvous.addresses[0]?.port), "-e", host, "-r", String(peer.port)];
    const all = [...options, ...where, "-u", "ada", "-W", SECRET, host];
    return (await promisify(execFile)("turnutils_uclient", all, { timeout: 20_000 })).stdout;
  };
  const statistics = () => rendezvous.counters().turn as NonNullable<ReturnType<Rendezvous["counters"]>["turn"]>;

  test.each(VARIANTS)("$about", { concurrent: true }, async ({ options, messages }) => {
    const ipv6 = options.includes("-x");
    if (ipv6 && !hasIPv6) return;
    const output = await run(options, ipv6 ? "::1" : HOST);
    expect(output).toContain(`tot_send_msgs=${messages}, tot_recv_msgs=${messages}`);
    expect(output).toContain(`tot_send_bytes ~ ${messages * 100}, tot_recv_bytes ~ ${messages * 100}`);
  });

  test("TCP relaying, which is RFC 6062 and not ours, is refused with 442", async () => {
    const output = run(["-T", "-X"]).then(
      (stdout) => ({ stdout }),
      (error) => error,
    );
    expect((await output).stdout).toContain("442 (Unsupported Transport Protocol)");
  });

  test("quick connects and exits: whatever its client makes of them, the server serves on", async () => {
    const { received } = statistics();
    await run(["-X", "-O"]).catch(() => {});
    expect(statistics().received).toBeGreaterThan(received);
    expect(await run(["-X"])).toContain("tot_send_msgs=10, tot_recv_msgs=10");
  });

  test("broken protocol, broken on purpose: it is answered or not, and the server serves on", async () => {
    // It goes on for minutes, against its own server too.
    const child = spawn(
      "turnutils_uclient",
      ["-N", "-R", "-X", "-p", String(rendezvous.addresses[0]?.port), "-e", HOST, "-u", "ada", "-W", SECRET, HOST],
      {
        stdio: "ignore",
      },
    );
    await sleep(3000);
    child.kill();
    expect(await run(["-X"])).toContain("tot_send_msgs=10, tot_recv_msgs=10");
  });

  test("a wrong secret gets nothing", async () => {
    const { allocations, succeeded } = statistics();
    const where = ["-p", String(rendezvous.addresses[0]?.port), "-e", HOST, "-r", String(peer.port)];
    const refused = promisify(execFile)("turnutils_uclient", ["-X", ...where, "-u", "ada", "-W", "wrong", HOST], { timeout: 5000 });
    await refused.catch(() => {});
    expect(statistics()).toMatchObject({ allocations, succeeded });
  });
});

/** coturn's own echo server, on both loopback addresses. */
async function echoPeer(): Promise<Disposable & { readonly port: number }> {
  const { port } = await (async () => {
    await using socket = await loopbackSocket();
    return { port: socket.port };
  })();
  const child = spawn("turnutils_peer", ["-L", HOST, ...(hasIPv6 ? ["-L", "::1"] : []), "-p", String(port)], { stdio: "ignore" });
  child.once("error", () => {});
  await using probe = await loopbackSocket();
  const answer = probe.receive(4000);
  while ((await Promise.race([answer, sleep(30)])) === undefined) probe.send(Buffer.from("echo"), { address: HOST, port });
  return { port, [Symbol.dispose]: () => void child.kill() };
}
