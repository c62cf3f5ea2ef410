/**
 * `webgguf/tools`: measures models and devices, shows what the engine plans to do, and quantises files.
 *
 * ```ts
 * import { benchmark } from "webgguf/tools";
 * const model = "models/webgguf-tale-q8_0.gguf";
 * const report = await benchmark(model, { promptTokens: [16], generateTokens: [8], repetitions: 2 });
 * for (const { name, msPerToken } of report.tests) console.log(name, msPerToken);
 * ```
 *
 * @module
 */
export type { ExplainRow } from "../plan/explain.ts";
export type { DeviceTuning, Tuning } from "../plan/tuning-types.ts";
export { benchmark } from "./bench.ts";
export type * from "./bench-types.ts";
export { type ExplainedPlan, type Explanation, explain } from "./explain.ts";
export {
  type ImatrixOptions,
  type ImportanceEntry,
  type ImportanceFile,
  type ImportanceStatistics,
  imatrix,
  imatrixStatistics,
  joinImatrix,
  readImatrix,
  writeImatrix,
} from "./imatrix.ts";
export { type Perplexity, type PerplexityOptions, perplexity } from "./perplexity.ts";
export {
  type QuantizedTensor,
  type QuantizeOptions,
  type QuantizeReport,
  quantize,
} from "./quantize.ts";
export { type TuneOptions, tuneDevice } from "./tune.ts";
