/** Whatever values the API is given: typed errors alone, and everything settles. */
import { MessageChannel } from "node:worker_threads";
import { expect, it } from "vitest";
import { serveModel } from "../../src/worker/mod.ts";
import type { Port } from "../../src/worker/protocol.ts";
import { fixture } from "../fixture.ts";
import { random } from "./mutate.ts";
import { fuzzValues } from "./values.ts";

it("200 calls with random values end in a result or a typed error, and leave nothing", {
  timeout: 60_000,
}, async () => {
  const bytes = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
  const { port1, port2 } = new MessageChannel();
  serveModel(port1 as unknown as Port);
  const port = port2 as unknown as Port;
  const { done, strange, refused } = await fuzzValues(random(17), 200, 20, bytes, port);
  port2.close();
  expect(strange).toEqual([]);
  expect(refused).toBeGreaterThan(done / 8);
});
