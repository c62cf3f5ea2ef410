/** What the browser test drives: the engine as a page has it, on `window`. */
import { loadModel, models, openSource } from "../../mod.ts";

Object.assign(globalThis, { webgguf: { loadModel, models, openSource } });
