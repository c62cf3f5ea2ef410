/** The same engine for one tab, where browsers have no SharedWorker. */
import { Engine, type Port } from "./engine.ts";

new Engine().connect(globalThis as unknown as Port);
