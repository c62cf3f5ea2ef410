import { loadModel } from "../../mod.ts";
import { sessionSuite } from "./suite.ts";

sessionSuite("a session on the CPU path", (bytes, options) => loadModel(bytes, options), {
  device: "cpu",
});
