/** The whole worker: it serves models to the page. */
import { serveModel } from "../../src/worker/mod.ts";

serveModel();
