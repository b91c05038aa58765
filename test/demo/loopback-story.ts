import { spawn } from "node:child_process";
import { once } from "node:events";
import { printed } from "../lab/command.js";
import { bin } from "../lab/programs.js";
import { indent, say, strong } from "./prose.js";

const PORT = "34780";
const ALT_PORT = "34781";

/** The same two programs; the only "NAT" between them is none. */
export async function loopbackStory(): Promise<void> {
  const ports = ["--port", PORT, "--alt-port", ALT_PORT];
  const rendezvous = spawn(process.execPath, [bin("rendezvous"), "--host", "127.0.0.1", "--host", "127.0.0.2", ...ports]);
  try {
    await printed(rendezvous, /listening/);
    say(`${strong("rendezvous")} serves on 127.0.0.1 and 127.0.0.2, port ${PORT}. ${strong(`nat-probe 127.0.0.1:${PORT}`)} says:`);
    say();
    const probe = spawn(process.execPath, [bin("nat-probe"), `127.0.0.1:${PORT}`]);
    probe.stdout.on("data", (chunk: Buffer) => say(indent(chunk.toString())));
    await once(probe, "close");
  } finally {
    rendezvous.kill();
  }
}
