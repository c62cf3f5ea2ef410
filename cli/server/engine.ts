/** The worker that holds the engine where GPU calls would block the server's thread. */
import { serveModel } from "../../src/worker/mod.ts";

serveModel();
