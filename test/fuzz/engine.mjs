/** A worker of Node's: serves models on the port that it is sent. */
import { parentPort } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
const { serveModel } = await import("../../src/worker/mod.ts");
parentPort.once("message", (port) => serveModel(port));
