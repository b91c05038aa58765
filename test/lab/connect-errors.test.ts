/** What goes wrong before there is a session: one clear line, and the exit code that scripts know. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeLab } from "./describe-lab.js";
import type { Host } from "./host.js";
import { Lab } from "./lab.js";
import { bin, peerPing, startListener, startRendezvous } from "./programs.js";

const SERVER = ["--server", "ws://203.0.113.1:3478"];
const IDENTITY = "/run/listener.json";

describeLab("peer ping says in one line", () => {
  let lab: Lab;
  let here: Host;
  let there: Host;

  beforeAll(async () => {
    lab = await Lab.create();
    const [server] = await Promise.all([
      lab.server("rendezvous", ["203.0.113.1", "198.51.100.1"]),
      lab.site("port-restricted").then(({ host }) => {
        here = host;
      }),
      lab.site("port-restricted").then(({ host }) => {
        there = host;
      }),
    ]);
    await startRendezvous(server);
  });

  afterAll(() => lab?.close());

  const fails = async (ticket: string, code: number, why: RegExp, ...options: string[]) => {
    const result = await peerPing(here, ticket, ...options);
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(/^peer: [^\n]+\n$/), events: [] });
    expect(result.stderr).toMatch(why);
    return result;
  };

  it("that the ticket has a typo, is cut short, or is none", async () => {
    const { ticket, child } = await startListener(there, ...SERVER);
    const typo = `${ticket.slice(0, 20)}${ticket[20] === "q" ? "p" : "q"}${ticket.slice(21)}`;
    await fails(typo, 2, /typo/);
    await fails(ticket.slice(0, -10), 2, /cut short|typo/);
    await fails("tomorrow", 2, /no ticket/);
    await lab.stop(child);
  });

  it("that nobody listens, or not any more", async () => {
    const { ticket, child } = await startListener(there, ...SERVER);
    await lab.stop(child);
    await fails(ticket, 5, /listen/);
  });

  it("that the ticket is one of before", async () => {
    const before = await startListener(there, ...SERVER, "--identity", IDENTITY);
    await lab.stop(before.child);
    const after = await startListener(there, ...SERVER, "--identity", IDENTITY, "--rotate");
    expect(after.ticket).not.toBe(before.ticket);
    await fails(before.ticket, 5, /ticket/);
    expect(await peerPing(here, after.ticket)).toMatchObject({ code: 0, stderr: "" });
    await lab.stop(after.child);
  });

  it("that its key is not let in", async () => {
    const { stdout: key } = await there.run([process.execPath, bin("peer"), "key", "--identity", "/run/somebody.json"]);
    const { ticket, child } = await startListener(there, ...SERVER, "--allow", key.trim());
    await fails(ticket, 5, /key|allow|let/);
    await lab.stop(child);
  });

  it.each([
    ["there is no host of that address", "ws://203.0.113.77:3478"],
    ["nothing listens there", "ws://203.0.113.1:81"],
    ["the name does not resolve", "ws://no-such-host.invalid"],
  ])("that no rendezvous is reached: %s", async (_why, server) => {
    const { ticket, child } = await startListener(there, ...SERVER);
    const { ms } = await fails(ticket, 7, /rendezvous|203\.0\.113|no-such-host/, "--server", server);
    expect(ms).toBeLessThan(15_000);
    await lab.stop(child);
  });
});
