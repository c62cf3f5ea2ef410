/** What kernels know of cache slots: where keys, values and state stand in their buffers. */
import type { CacheType } from "../graph/settings.ts";

/** Key/value element types, in the order of the kernels' KIND numbers. */
export const cacheTypes: readonly CacheType[] = ["f32", "f16", "q8_0", "q4_0"];

/** A key/value slot in its slab: rows of [keys of all heads | values of all heads]. */
export interface SlotLayout {
  readonly kind: "kv";
  /** Name of the slab for the plan. */
  readonly buffer: string;
  readonly heads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly valueIsKeyPrefix: boolean;
  readonly rowWords: number;
  readonly valueWord: number;
  /** Rows a sequence when the slot keeps a window, else 0. */
  readonly ring: number;
  readonly bytes: number;
  /** "f16", or "f16/q8_0" when keys and values differ. */
  readonly typeName: string;
  /** Constants of the kernels that read or write the slab. */
  readonly consts: Readonly<Record<"RING" | "PAGE" | "MAX_PAGES" | "K_KIND" | "V_KIND", number>>;
}

/** A recurrent slot: `size` floats a sequence. */
export interface StateLayout {
  readonly kind: "state";
  readonly buffer: string;
  readonly size: number;
  readonly bytes: number;
}
