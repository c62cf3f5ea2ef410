/** Who draws does not change a text: the executor, or the host from its logits; here or there. */
import { expect, it } from "vitest";
import { type GenerateOptions, loadModel } from "../../mod.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable } from "../gpu.ts";
import { BUNDLED } from "./suite.ts";

const prompt = [{ role: "user", content: "Tell me a story about a fox who lost a hat." }];
const options: GenerateOptions = { temperature: 1.3, minP: 0.01, seed: 21, maxTokens: 48 };

async function texts(device: "cpu" | "gpu"): Promise<number[][]> {
  const model = await loadModel(new Blob([await fixture(BUNDLED)]), { device });
  const run = async (more: GenerateOptions): Promise<number[]> => {
    const session = model.session();
    const ids: number[] = [];
    for await (const piece of session.generate(prompt, { ...options, ...more }))
      ids.push(piece.token!);
    await session.dispose();
    return ids;
  };
  try {
    // With log-probabilities the host draws.
    return [await run({}), await run({ logprobs: 0 }), await run({ seed: 22 })];
  } finally {
    await model.dispose();
  }
}

const devices = gpuAvailable ? (["cpu", "gpu"] as const) : (["cpu"] as const);

it("draws the same tokens in the executor and on the host, on every device", async () => {
  const found: number[][][] = [];
  for (const device of devices) found.push(await texts(device));
  for (const [sampled, byHost, other] of found) {
    expect(sampled).toEqual(byHost);
    expect(sampled).toEqual(found[0][0]);
    expect(other).not.toEqual(sampled);
  }
});
