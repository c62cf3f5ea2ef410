/** What the browser test drives: the engine as a page has it, on `window`. */
import { loadModel, models, openSource } from "../../mod.ts";
import { loadModelInWorker } from "../../src/worker/mod.ts";

Object.assign(globalThis, {
  webgguf: { loadModel, models, openSource },
  loadModelInWorker,
  engine: () => new Worker(new URL("./engine.ts", import.meta.url), { type: "module" }),
});
