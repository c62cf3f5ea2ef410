/** The engine's worker of the browser test. */
import { serveModel } from "../../src/worker/mod.ts";

serveModel();
