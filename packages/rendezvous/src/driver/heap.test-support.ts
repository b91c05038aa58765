import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is still in use after a full collection, bytes. */
export function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}
