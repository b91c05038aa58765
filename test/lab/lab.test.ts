import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printed } from "./command.js";
import { describeLab } from "./describe-lab.js";
import type { Host } from "./host.js";
import { Lab } from "./lab.js";
import type { Site } from "./site.js";

const FIXTURES = new URL("fixtures", import.meta.url).pathname;
const REFLECTOR = "203.0.113.1:4000";

describeLab("the lab", () => {
  let lab: Lab;
  let server: Host;
  let home: Site;
  let open: Site;

  beforeAll(async () => {
    lab = await Lab.create();
    [server, home, open] = await Promise.all([
      lab.server("rv", ["203.0.113.1", "198.51.100.1"]),
      lab.site("port-restricted"),
      lab.site("open"),
    ]);
    await printed(server.spawn(["node", `${FIXTURES}/reflector.mjs`, "203.0.113.1", "4000"]), /reflecting/);
  });

  afterAll(() => lab?.close());

  /** How the server sees local port 5000 of a host. */
  const seen = async (host: Host) => (await host.run(["node", `${FIXTURES}/seen.mjs`, REFLECTOR, "5000"], { timeoutMs: 5_000 })).stdout;

  describe("commands", () => {
    it("come back with all they said", async () => {
      const script = "read line; echo out $line; echo err $AWL_TEST >&2; pwd; exit 3";
      const result = await home.host.run(["sh", "-c", script], { input: "fed\n", env: { AWL_TEST: "set" }, cwd: "/usr" });
      expect(result).toMatchObject({ code: 3, signal: null, stdout: "out fed\n/usr\n", stderr: "err set\n", timedOut: false });
    });

    it("start where this process is", async () => {
      expect((await home.host.run(["pwd"])).stdout).toBe(`${process.cwd()}\n`);
    });

    it("cost little more than the process itself", async () => {
      const times: number[] = [];
      for (let i = 0; i < 10; i++) times.push((await home.host.run(["true"])).ms);
      expect(Math.min(...times)).toBeLessThan(20);
    });

    it("that are not there fail as in a shell", async () => {
      expect(await home.host.run(["/no/such/command"])).toMatchObject({ code: 127, signal: null });
    });

    it("are killed with their children when their time is up", async () => {
      const result = await home.host.run(["sh", "-c", "echo begun; sleep 1000 & sleep 1000"], { timeoutMs: 200 });
      expect(result).toMatchObject({ code: null, signal: "SIGKILL", stdout: "begun\n", timedOut: true });
      expect(result.ms).toBeLessThan(2_000);
    });
  });

  describe("signals", () => {
    const EXIT_7_ON_TERM = "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')";

    it("reach the command, and its own exit code comes back", async () => {
      const child = server.spawn(["node", "-e", EXIT_7_ON_TERM]);
      await printed(child, /ready/);
      expect(await lab.stop(child)).toEqual({ code: 7, signal: null });
      expect(await lab.stop(child)).toEqual({ code: 7, signal: null });
    });

    it("reach it through the child process too, and the signal comes back", async () => {
      const child = server.spawn(["sleep", "1000"]);
      const exited = once(child, "exit");
      expect(child.kill("SIGINT")).toBe(true);
      expect(await exited).toEqual([null, "SIGINT"]);
      expect(child.kill()).toBe(false);
    });

    it("are followed by SIGKILL where they are not obeyed", async () => {
      const child = server.spawn(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]);
      await printed(child, /ready/);
      expect(await lab.stop(child, "SIGTERM", 100)).toEqual({ code: null, signal: "SIGKILL" });
    });
  });

  describe("networks", () => {
    it("have a hop between any two routers", async () => {
      const print = "socket.on('message', (m) => console.log('got', String(m))).bind(4000, () => console.log('ready'))";
      const listener = open.router.spawn(["node", "-e", `const socket = require('dgram').createSocket('udp4'); ${print}`]);
      await printed(listener, /ready/);
      const first = printed(listener, /got (\d)/);
      // A connected socket, because a send that looks an address up leaves with the TTL of later.
      const climb = `const socket = require('dgram').createSocket('udp4');
        socket.connect(4000, '${open.router.address}', () => {
          for (const ttl of [1, 2, 3]) { socket.setTTL(ttl); socket.send(String(ttl)); }
          socket.close();
        });`;
      expect(await home.host.run(["node", "-e", climb])).toMatchObject({ code: 0, stderr: "" });
      expect((await first)[1]).toBe("3");
      await lab.stop(listener);
    });

    it("have no way out", async () => {
      const connect =
        "require('net').connect(53, '9.9.9.9').on('error', (e) => console.log(e.code)).on('connect', () => console.log('out'))";
      const { stdout } = await open.host.run(["node", "-e", connect], { timeoutMs: 5_000 });
      expect(stdout.trim()).toMatch(/^E(NET|HOST)UNREACH$/);
    });

    it("hold several hosts in a LAN, each with an external port of its own", async () => {
      const second = await home.addHost();
      expect(home.hosts).toEqual([home.host, second]);
      const [a, b] = await Promise.all([seen(home.host), seen(second)]);
      expect([a, b].map((endpoint) => endpoint.split(":")[0])).toEqual([home.publicAddress, home.publicAddress]);
      expect(a).not.toBe(b);
    });

    it("remember a mapping until they are flushed", async () => {
      const before = await seen(home.host);
      expect(await seen(home.host)).toBe(before);
      await home.flush();
      expect(await seen(home.host)).not.toBe(before);
    });

    it.each([
      [0, 500, 500],
      [30, 350, 245],
      [100, 0, 0],
    ])("lose %i percent each way", async (percent, arriving, returning) => {
      const site = await lab.site("masquerade");
      const echo = server.spawn(["node", `${FIXTURES}/counting-echo.mjs`, "203.0.113.1", "4500"]);
      await printed(echo, /echoing/);
      await site.setLoss(50);
      await site.setLoss(percent);
      const { stdout } = await site.host.run(["node", `${FIXTURES}/volley.mjs`, "203.0.113.1", "4500", "500"]);
      const { arrived, returned } = JSON.parse(stdout);
      // Five standard deviations, which the sure cases have none of; the last arrivals may be unheard of.
      const slack = percent === 30 ? 60 : 5;
      expect(Math.abs(arrived - arriving)).toBeLessThanOrEqual(slack);
      expect(Math.abs(returned - returning)).toBeLessThanOrEqual(slack);
      await lab.stop(echo);
    });
  });

  describe("life and death", () => {
    it("brings up a dozen sites at once, beside other labs", async () => {
      const started = performance.now();
      await using other = await Lab.create();
      const sites = await Promise.all(Array.from({ length: 12 }, () => other.site("cgn")));
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(new Set(sites.map((site) => site.publicAddress)).size).toBe(12);
    });

    it("closes once, however often it is told to, and takes its commands along", async () => {
      const other = await Lab.create();
      const site = await other.site("cgn");
      const child = site.host.spawn(["sh", "-c", "echo ready; exec sleep 1000"]);
      await printed(child, /ready/);
      await Promise.all([other.close(), other.close()]);
      await other.close();
      expect(child.signalCode).toBe("SIGKILL");
      expect(() => site.host.spawn(["true"])).toThrow("closed");
    });

    it("leaves nothing behind a process that was killed", async () => {
      const holder = spawn("node", [`${FIXTURES}/holder.mjs`]);
      const { user } = await heldLab(holder);
      expect(processesIn(user)).toBeGreaterThan(1);
      holder.kill("SIGKILL");
      await once(holder, "exit");
      for (let tries = 0; tries < 50 && processesIn(user) > 0; tries++) await sleep(20);
      expect(processesIn(user)).toBe(0);
    });

    it("needs no privileges", async ({ skip }) => {
      const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
      const possible = spawn("setpriv", [...nobody, "sh", "-c", `unshare -Urn true && test -r '${FIXTURES}/holder.mjs'`]);
      const [code] = await Promise.race([once(possible, "exit"), once(possible, "error")]);
      if (code !== 0) skip("this machine does not let nobody make namespaces, or read this repository");
      const holder = spawn("setpriv", [...nobody, "node", `${FIXTURES}/holder.mjs`]);
      expect(await heldLab(holder)).toMatchObject({ uid: 65534, route: "default via 192.168.1.254 dev eth0" });
      holder.kill("SIGKILL");
    });
  });
});

/** What a holder says about its lab. */
async function heldLab(holder: ReturnType<typeof spawn>): Promise<{ user: string; uid: number; route: string }> {
  const [, json] = await printed(holder as Parameters<typeof printed>[0], /(\{.*\})\n/, 20_000);
  return JSON.parse(json ?? "");
}

/** How many processes live in a user namespace. Zombies are dead, and wait for this machine's init to notice. */
function processesIn(user: string): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/user`) === user && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  }).length;
}
