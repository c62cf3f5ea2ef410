/**
 * The whole worker: as a SharedWorker one engine with a port for each tab, as a dedicated one, where browsers have no
 * other, an engine for its tab.
 */
import { Engine, type Port } from "./engine.ts";

const engine = new Engine();
if ("SharedWorkerGlobalScope" in globalThis)
  addEventListener("connect", (event) => {
    engine.connect((event as MessageEvent).ports[0] as unknown as Port);
  });
else engine.connect(globalThis as unknown as Port);
