import type { Report } from "@awl/nat-probe";
import { formatEndpoint } from "@awl/wire";
import type { PathEvent, SessionEvent } from "../session/session-io.js";

/** What a command tells while it runs: NDJSON for scripts, sentences for a person. Both on stderr: stdout is for the command's result. */
export interface Output {
  readonly json: boolean;
  ticket(ticket: string): void;
  nat(report: Report): void;
  event(event: SessionEvent): void;
  /** Something that only a person wants to know. */
  note(text: string): void;
}

export function output(json: boolean): Output {
  return json ? JSON_OUTPUT : HUMAN_OUTPUT;
}

const JSON_OUTPUT: Output = {
  json: true,
  ticket: (ticket) => print({ event: "ticket", ticket }),
  nat: (report) => print({ event: "nat", ...report }),
  event(event) {
    // The application's own data is none of the events of the contract.
    if (event.event !== "data" && event.event !== "peer-nat" && event.event !== "lost") print(event);
  },
  note() {},
};

const HUMAN_OUTPUT: Output = {
  json: false,
  // Alone on stdout, for whoever pipes it on.
  ticket: (ticket) => void process.stdout.write(`${ticket}\n`),
  nat: ({ type, confidence }) => say(`this side: ${type}${confidence === "low" ? " (uncertain)" : ""}`),
  event(event) {
    const line = describe(event);
    if (line !== undefined) say(line);
  },
  note: say,
};

function describe(event: SessionEvent): string | undefined {
  switch (event.event) {
    case "path":
      return describePath(event);
    case "reason":
      return event.text;
    case "peer-nat":
      return `other side: ${event.nat.type}`;
    case "lost":
      return "the path is lost; looking for another";
    case "closed":
      return `closed: ${event.text}`;
    default:
      return undefined;
  }
}

function describePath({ kind, strategy, pair, elapsedMs, rttMs }: PathEvent): string {
  const way = `${formatEndpoint(pair.local)} - ${formatEndpoint(pair.remote)}`;
  return `${kind} (${strategy})  ${way}  after ${Math.round(elapsedMs)} ms, round trip ${rttMs.toFixed(1)} ms`;
}

function print(event: object): void {
  process.stderr.write(`${JSON.stringify(event, roundMilliseconds)}\n`);
}

/** Nobody measures nanoseconds with a ping. */
function roundMilliseconds(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Math.round(value * 1_000) / 1_000 : value;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
