/** Each fusion by itself, and all of them, change the plan but not the logits. */
import { beforeAll, describe, expect, it } from "vitest";
import { fusionNames } from "../../src/plan/fuse/index.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import { nmse } from "../conformance/archs.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { Sketch, VOCABULARY } from "./graphs.ts";
import {
  everyClass,
  joined,
  logitsOf,
  openExecutor,
  openModel,
  optionsOf,
  type TestModel,
} from "./models.ts";

/**
 * A chunk of 32 for some; for the others only plans of few rows, which have all fusions but one.
 * `each`: every fusion is switched off by itself as well.
 */
const models = [
  { name: "qwen3", chunk: 8, each: true },
  { name: "qwen3moe", chunk: 32, each: true },
  { name: "llama-all-bias", chunk: 8, each: true },
  { name: "llama-fused-qkv", chunk: 8, each: true },
  { name: "llama", chunk: 32, each: false },
  { name: "gemma3", chunk: 8, each: true },
  { name: "phi3", chunk: 8, each: false },
];

/** Names of fusions that change the plan of some model. */
const seen = new Set<string>();

describe.skipIf(!gpuAvailable)("fusions", () => {
  for (const { name, chunk, each } of models)
    describe(name, () => {
      let model: TestModel;
      let fused: Float32Array;
      let plan: string;

      const planned = async (noFuse: readonly string[]): Promise<string> => {
        const { graph, file } = model;
        const { plans } = planFor(graph, file, await openTestGpu(), optionsOf({ noFuse, chunk }));
        return JSON.stringify(plans.map((one) => one.calls));
      };
      const run = async (noFuse: readonly string[]): Promise<Float32Array> => {
        const executor = await openExecutor(await openTestGpu(), model, { noFuse, chunk });
        try {
          return joined(await logitsOf(executor, model.tokens, everyClass));
        } finally {
          await executor.dispose();
        }
      };

      beforeAll(async () => {
        model = await openModel(name);
        plan = await planned([]);
        fused = await run([]);
      });

      it("all off give the same logits", async () => {
        expect(await planned(fusionNames)).not.toBe(plan);
        expect(nmse(await run(fusionNames), fused)).toBeLessThanOrEqual(1e-12);
      });
      it.each(each ? fusionNames : [])("without %s gives the same logits", async (one) => {
        if ((await planned([one])) === plan) return;
        seen.add(one);
        expect(nmse(await run([one]), fused)).toBeLessThanOrEqual(1e-12);
      });
    });

  it("of factors into maps give the same logits", async () => {
    const sketch = new Sketch(5);
    const x = sketch.embed(32);
    const map = sketch.linear(sketch.norm(x), 32);
    const scaled = sketch.add({ op: "scale", x: map, by: 0.3, plus: 0 }, 32);
    const sum = sketch.add({ op: "add", a: x, b: scaled }, 32);
    const logits = sketch.linear(sketch.select(sum), VOCABULARY);
    sketch.add({ op: "scale", x: logits, by: 0.1, plus: 0 }, VOCABULARY);
    const model = { ...sketch.model(), tokens: Array.from({ length: 30 }, (_, i) => i % 20) };
    const run = async (noFuse: readonly string[]): Promise<[number, Float32Array]> => {
      const executor = await openExecutor(await openTestGpu(), model, { noFuse });
      const logits = joined(await logitsOf(executor, model.tokens, everyClass));
      await executor.dispose();
      return [executor.model.plans[0].calls.length, logits];
    };
    const [fewer, fused] = await run([]);
    const [more, plain] = await run(["scale"]);
    expect(more).toBeGreaterThan(fewer);
    expect(nmse(plain, fused)).toBeLessThanOrEqual(1e-12);
    seen.add("scale");
  });
  it("take part in these models, all of them", () => {
    expect([...seen].sort()).toEqual([...fusionNames].sort());
  });
});
