type Runtime = "node" | "deno" | "chromium";
export const leftOut: Readonly<Record<Runtime, readonly string[]>>;
export function selection(
  runtime: Runtime,
  part: "first" | "rest" | "all",
  wanted?: readonly string[],
): string[];
