import type { Duplex } from "node:stream";

/** How long a connection may say nothing, milliseconds. */
const PATIENCE_MS = 5000;

/** Waits for the first byte of a connection, and leaves it where it is. Who says nothing for too long, or goes, is dropped. */
export function peekFirstByte(stream: Duplex, onByte: (byte: number) => void): void {
  const patience = setTimeout(() => stream.destroy(), PATIENCE_MS);
  const stop = (): void => clearTimeout(patience);
  stream.on("error", () => stream.destroy());
  stream.once("close", stop);
  stream.once("readable", () => {
    stop();
    stream.off("close", stop);
    const chunk: Buffer | null = stream.read();
    const byte = chunk?.[0];
    if (chunk === null || byte === undefined) {
      stream.destroy();
      return;
    }
    stream.unshift(chunk);
    onByte(byte);
  });
}
