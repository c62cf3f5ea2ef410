/** Threads of Node and Deno. */
import { Worker } from "node:worker_threads";
import type { Thread } from "./types.ts";

const code = `{
  const { workerData } = require("node:worker_threads");
  import(workerData.module).then((all) => all[workerData.name](workerData.data));
}`;

export function startThread(
  module: string,
  name: string,
  data: unknown,
  onError: (reason: string) => void,
): Thread {
  const workerData = { module, name, data };
  const worker = new Worker(code, { eval: true, workerData, execArgv: [] });
  worker.unref();
  worker.on("error", ({ message }) => onError(message));
  return { end: () => void worker.terminate() };
}
