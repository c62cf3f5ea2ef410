/** Facts that every runtime tells in the same way. */

/** `(func (result v128) i32.const 0 i8x16.splat)` as a module: valid only where SIMD is. */
const simdModule = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15,
  11,
]);

/** WASM SIMD, shared memory and processor count. */
export function commonFacts(): Record<string, string | number | boolean> {
  const facts: Record<string, string | number | boolean> = {
    wasmSimd: typeof WebAssembly !== "undefined" && WebAssembly.validate(simdModule),
    sharedArrayBuffer: typeof SharedArrayBuffer !== "undefined",
  };
  const threads = globalThis.navigator?.hardwareConcurrency;
  if (typeof threads === "number") facts["threads"] = threads;
  return facts;
}

/** Bytes as people read them: "7.7 GiB". */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
