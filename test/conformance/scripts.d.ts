/** The plain-JavaScript helpers that chromium.ts and main.ts use. */
declare module "*/scripts/unpack.mjs" {
  export function unpackChromium(): { executable: string; libraries: string } | undefined;
}
declare module "*/run/deno.mjs" {
  export const denoCommand: readonly string[];
}
