/** DeepSeek-OCR, the text part: DeepSeek's experts, but plain attention. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const deepseek2Ocr: Family = llamaLike("neox", {});
