import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Tasks } from "./worker.js";

/** What a worker is started with. */
export interface Work {
  readonly name: keyof Tasks;
  readonly items: readonly unknown[];
}

/** Does a task of the worker's on every item, on all processors; results are in the order of the items. */
export async function inParallel<Name extends keyof Tasks>(
  name: Name,
  items: readonly Parameters<Tasks[Name]>[0][],
): Promise<ReturnType<Tasks[Name]>[]> {
  const threads = Math.min(availableParallelism(), items.length);
  // Every so manieth item: those that take long are often neighbours.
  const shares = Array.from({ length: threads }, (_, thread) => items.filter((_item, index) => index % threads === thread));
  const results = await Promise.all(shares.map((share) => start<ReturnType<Tasks[Name]>[]>({ name, items: share })));
  return items.map((_item, index) => results[index % threads]?.[Math.floor(index / threads)] as ReturnType<Tasks[Name]>);
}

function start<Results>(workerData: Work): Promise<Results> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
