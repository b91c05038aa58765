import { type Evidence, Prober, type ProberInput, type ProberOutput } from "@awl/nat-probe";
import type { Endpoint } from "@awl/wire";
import { Alarm } from "./alarm.js";
import type { Clock } from "./clock.js";
import type { Host } from "./host.js";
import type { Random } from "./random.js";

/** Longer than any probe may take. */
const PATIENCE_MS = 120_000;

export interface ProbeRun {
  readonly evidence: Evidence;
  /** Milliseconds of virtual time. */
  readonly ms: number;
  readonly outputs: readonly ProberOutput[];
}

/** Runs one probe to its end, driven as the package's driver does. It throws where the machine breaks what it promises to every driver. */
export function probe(clock: Clock, random: Random, host: Host, servers: readonly Endpoint[]): ProbeRun {
  const startedAt = clock.now;
  const outputs: ProberOutput[] = [];
  const sockets = new Map<number, Endpoint>();
  let evidence: Evidence | undefined;
  const prober = new Prober({
    servers,
    localAddress: host.addresses.get(4),
    timeoutMs: 2_200,
    random: (length) => random.bytes(length),
  });
  const alarm = new Alarm(clock, () => feed({ type: "tick" }));

  const feed = (input: ProberInput) => {
    for (const output of prober.handle(clock.now, input)) {
      if (evidence) throw new Error("the probe spoke after its end");
      outputs.push(output);
      if (output.type === "open") open(output.socket);
      else if (output.type === "send") host.send(sockets.get(output.socket) as Endpoint, output.to, output.bytes);
      else if (output.type === "wake") alarm.set(output.at);
      else evidence = output.evidence;
    }
  };
  const open = (socket: number) => {
    const local = host.bind(4, ({ from, bytes }) => feed({ type: "datagram", socket, from, bytes })) as Endpoint;
    sockets.set(socket, local);
    clock.later(() => feed({ type: "opened", socket, port: local.port }));
  };

  feed({ type: "tick" });
  clock.runFor(PATIENCE_MS, () => evidence !== undefined);
  if (!evidence) throw new Error("the probe neither ended nor waits for anything");
  const run = { evidence, ms: clock.now - startedAt, outputs };
  for (const local of sockets.values()) host.close(local);
  return run;
}
