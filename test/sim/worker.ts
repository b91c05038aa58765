/** Entry of a worker thread: see parallel.ts. */
import { parentPort, workerData } from "node:worker_threads";
import type { Work } from "./parallel.js";
import { meetOnce } from "./population.js";
import { runCell } from "./runs.js";

const TASKS = { cell: runCell, meeting: meetOnce };

export type Tasks = typeof TASKS;

const { name, items } = workerData as Work;
const task = TASKS[name] as (item: unknown) => unknown;
parentPort?.postMessage(items.map((item) => task(item)));
