import { expect, it } from "vitest";
import { gpuAvailable } from "../gpu.ts";
import { answers } from "./together.ts";

it.skipIf(!gpuAvailable)("sessions answer on the GPU together what they answer alone", async () => {
  const options = { device: "gpu", contextLength: 96 };
  const alone = await answers(options, false);
  for (const stepsInFlight of [1, 4])
    expect(await answers({ ...options, stepsInFlight }, true)).toEqual(alone);
});
