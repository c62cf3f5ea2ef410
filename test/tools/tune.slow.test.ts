/** Measured tuning: what it returns, and that it counts on its own adapter only and never changes the text. */
import { describe, expect, it } from "vitest";
import { loadModel } from "../../mod.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGraph } from "../../src/models/index.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import { tuneDevice } from "../../src/tools/mod.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { BUNDLED } from "../session/suite.ts";

describe.skipIf(!gpuAvailable)("tuneDevice", () => {
  it("measures every candidate and names the adapter", async () => {
    const tried: object[] = [];
    const tuning = await tuneDevice({
      type: "Q8_0",
      onTried: (candidate, milliseconds) => {
        expect(milliseconds).toBeGreaterThan(0);
        tried.push(candidate);
      },
    });
    const { capabilities } = await openTestGpu();
    expect(tuning.adapter).toBe(capabilities.name);
    expect(tried.length).toBeGreaterThanOrEqual(15);
    const { lanes, weightRows, threads } = tuning;
    expect(tried).toContainEqual({ lanes, weightRows, threads });
    const model = await loadModel(await fixture(BUNDLED), { device: "gpu", tuning: [tuning] });
    let text = "";
    const options = { temperature: 0, maxTokens: 8 };
    for await (const piece of model.session().generate("What is 7 + 5?", options))
      text += piece.text;
    expect(text).not.toBe("");
    await model.dispose();
  });
  it("stops when it is told to, and refuses what is no type", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(tuneDevice({ signal })).rejects.toThrow("enough");
    await expect(tuneDevice({ type: "Q99" })).rejects.toThrow('there is none called "Q99"');
  });
  it("counts on its own adapter only", async () => {
    const file = await readGguf(bufferSource(await fixture(BUNDLED), "bundled"));
    const gpu = await openTestGpu();
    const { name } = gpu.capabilities;
    const lanesOn = (adapter: string): unknown => {
      const options = { contextLength: 64, tuning: [{ adapter, lanes: 2 }] };
      const { plans } = planFor(buildGraph(file, options), file, gpu, options);
      return plans[0].calls.find((call) => call.kernel === "matvec")?.consts?.["LANES"];
    };
    expect(lanesOn(name)).toBe(2);
    expect(lanesOn("another")).not.toBe(2);
  });
});
