/** As values.node.test.ts, many more of them, and through a worker's own thread. */
import { MessageChannel, Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import type { Port } from "../../src/worker/protocol.ts";
import { fixture } from "../fixture.ts";
import { random } from "./mutate.ts";
import { fuzzValues } from "./values.ts";

it("20,000 calls with random values end in a result or a typed error, and leave nothing", {
  timeout: 600_000,
}, async () => {
  const bytes = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
  const worker = new Worker(new URL("./engine.mjs", import.meta.url));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port1, [port1]);
  const port = port2 as unknown as Port;
  const { done, strange, refused } = await fuzzValues(random(171), 20_000, 400, bytes, port);
  console.log(`${done} calls, ${refused} refused`);
  await worker.terminate();
  expect(strange).toEqual([]);
  expect(refused).toBeGreaterThan(done / 8);
});
