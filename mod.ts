/**
 * webgguf runs GGUF language models on any GPU: the same WGSL kernels in Node, Deno and browsers.
 *
 * ```ts
 * import { loadModel } from "webgguf";
 * await using model = await loadModel("models/webgguf-tale-q8_0.gguf");
 * await using session = model.session();
 * const question = [{ role: "user", content: "What is 7 + 5?" }];
 * let answer = "";
 * for await (const piece of session.generate(question, { temperature: 0 })) answer += piece.text;
 * console.log(answer); // 7 + 5 = 12.
 * ```
 *
 * @module
 */
export { type ErrorCode, type ErrorDetails, WebggufError } from "./src/base/errors.ts";
export type { ByteSource } from "./src/base/source.ts";
export type { StoredModel, StoreSpace, Verified } from "./src/bytes/store/types.ts";
export type { ChatMessage, ToolCall, ToolDefinition } from "./src/chat/messages.ts";
export type { RenderedPrompt, RenderOptions } from "./src/chat/render.ts";
export type { ChatTemplateOptions } from "./src/chat/template.ts";
export type { Metadata, MetadataArray, MetadataValue } from "./src/file/metadata.ts";
export type { ModelFile, TensorInfo } from "./src/file/types.ts";
export { type ReadOptions, readGguf } from "./src/gguf/read.ts";
export type { CacheType } from "./src/graph/settings.ts";
export type { DeviceTuning, Tuning } from "./src/plan/tuning-types.ts";
export type { Capabilities } from "./src/platform/capabilities.ts";
export type { SamplerName, SamplingOptions } from "./src/sample/types.ts";
export { type DeviceReport, devices } from "./src/session/devices.ts";
export { type MemoryReport, memoryNeeded } from "./src/session/memory.ts";
export { loadModel } from "./src/session/model.ts";
export { type Models, models } from "./src/session/models.ts";
export { openSource } from "./src/session/source.ts";
export type * from "./src/session/types.ts";
export {
  createTokenizer,
  type DecodeOptions,
  type EncodeOptions,
  type Tokenizer,
} from "./src/tokenizer/tokenizer.ts";
