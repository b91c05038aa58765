import { styleText } from "node:util";
import { formatEndpoint } from "@awl/wire";
import { pino } from "pino";
import type { Rendezvous, RendezvousAddress, RendezvousCounters } from "../driver/rendezvous.js";
import { version } from "./version.js";

/** What the process says about itself while it runs. */
export interface Report {
  listening(rendezvous: Rendezvous): void;
  closed(counters: RendezvousCounters): void;
}

/** NDJSON, one event a line. */
export function jsonReport(): Report {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } });
  return {
    listening({ addresses, secure, relay }) {
      const first = addresses[0];
      logger.info({
        event: "listening",
        signal: first ? `${secure ? "wss" : "ws"}://${announced(first)}` : null,
        stun: first ? `stun:${announced(first)}` : null,
        turn: first && relay ? `turn:${announced(first)}` : null,
        alternate: first?.alternate ? { address: first.alternate, port: first.altPort } : null,
        addresses,
      });
    },
    closed(counters) {
      logger.info({ event: "closed", counters });
    },
  };
}

/** Text for a person. */
export function humanReport(out: NodeJS.WriteStream): Report {
  const colour = out.isTTY && !process.env.NO_COLOR;
  const strong = (text: string): string => (colour ? styleText("bold", text) : text);
  return {
    listening({ addresses, secure, relay }) {
      const width = Math.max(...addresses.map((address) => announced(address).length));
      const rows = addresses.map((address, i) => {
        const label = i === 0 ? strong("listening") : "         ";
        return `${label}  ${announced(address).padEnd(width)}  ${detail(address)}`.trimEnd();
      });
      const first = addresses[0];
      const urls = first
        ? [
            `${strong("signal")}     ${secure ? "wss" : "ws"}://${announced(first)}`,
            `${strong("stun")}       stun:${announced(first)}`,
            ...(relay ? [`${strong("turn")}       turn:${announced(first)}`] : []),
            `${strong("health")}     ${secure ? "https" : "http"}://${announced(first)}/healthz`,
          ]
        : [];
      out.write(`${strong("rendezvous")} ${version}\n${[...rows, ...urls].join("\n")}\n`);
    },
    closed({ stun, signal, turn }) {
      const links = `${signal.linked} links between ${signal.connected} connections`;
      const relayed = turn ? `, ${turn.bytes} bytes relayed` : "";
      out.write(`${strong("closed")}     ${stun.answered} of ${stun.received} datagrams answered, ${links}${relayed}\n`);
    },
  };
}

function announced({ publicAddress, port }: RendezvousAddress): string {
  return formatEndpoint({ address: publicAddress, port });
}

function detail({ address, publicAddress, altPort, alternate }: RendezvousAddress): string {
  const parts = [
    `alternate port ${altPort}`,
    ...(alternate === null ? [] : [`alternate address ${alternate}`]),
    ...(address === publicAddress ? [] : [`here ${address}`]),
  ];
  return parts.join(", ");
}
