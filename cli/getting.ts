/** How the command line names models and gets them: llama.cpp's flags, and references. */
import type { SourceOptions } from "../mod.ts";
import type { Flag, Values } from "./flags.ts";
import { loadReporting } from "./terminal.ts";

export const GETTING_FLAGS: readonly Flag[] = [
  {
    names: ["-hf", "-hfr", "--hf-repo"],
    value: "REPO",
    help: "USER/REPO[:QUANT] on the hub (default Q4_K_M, then Q8_0, then the first file)",
  },
  { names: ["-hff", "--hf-file"], value: "FILE", help: "the file in the repository of -hf" },
  { names: ["-mu", "--model-url"], value: "URL", help: "the model from a URL" },
  {
    names: ["-hft", "--hf-token"],
    value: "TOKEN",
    help: "for gated repositories (default: HF_TOKEN of the environment)",
  },
  { names: ["--offline"], help: "make no request: use what was fetched before" },
  { names: ["--no-cache"], help: "keep nothing of what is fetched" },
];

/** What the flags say about getting models. */
export function gettingOptions(values: Values): Omit<SourceOptions, "headerOnly"> {
  const token = values.text("hf-token");
  return {
    offline: values.switch("offline"),
    cache: !values.switch("no-cache"),
    ...(token !== undefined && { token }),
  };
}

/** For commands that read headers alone. */
export const headerOptions = (values: Values): SourceOptions => ({
  ...gettingOptions(values),
  onNotice: loadReporting().onNotice,
  headerOnly: true,
});
