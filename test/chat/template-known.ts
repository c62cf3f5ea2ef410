/** Pairs of template and conversation whose text is not llama.cpp's, each with its cause. */

export interface KnownDifference {
  readonly template: string;
  readonly conversation: string;
  readonly cause: string;
}

const printsList =
  "The template prints a list of content parts that it does not expect. llama.cpp writes the strings " +
  "in such a list and drops the parts, so that the user's text is lost; Python's Jinja, which these " +
  "templates were made for, writes the list as Python does.";

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  "CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja",
  "deepseek-ai-DeepSeek-V4.jinja",
  "deepseek-ai-DeepSeek-V4-Flash-0731.jinja",
].map((template) => ({ template, conversation: "parts", cause: printsList }));
