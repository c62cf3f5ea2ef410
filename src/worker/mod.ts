/**
 * `webgguf/worker`: the same Model and Session, computed in a Web Worker.
 *
 * @module
 */
export { loadModelInWorker } from "./client.ts";
export type { Port } from "./protocol.ts";
export { serveModel } from "./serve.ts";
