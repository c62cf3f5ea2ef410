/** The whole SharedWorker: one engine, and a port for each tab. */
import { Engine, type Port } from "./engine.ts";

const engine = new Engine();
addEventListener("connect", (event) => {
  engine.connect((event as MessageEvent).ports[0] as unknown as Port);
});
