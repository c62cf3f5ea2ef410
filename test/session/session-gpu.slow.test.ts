import { it } from "vitest";
import { loadModel } from "../../mod.ts";
import { gpuAvailable } from "../gpu.ts";
import { sessionSuite } from "./suite.ts";

if (gpuAvailable)
  sessionSuite("a session on the GPU", (bytes, options) => loadModel(bytes, options), {
    device: "gpu",
    contextLength: 128,
  });
else it.skip("a session on the GPU: no adapter", () => {});
