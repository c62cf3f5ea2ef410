/** What kernels know of cache slots: where keys, values and state stand in their buffers. */
import type { CacheType } from "../graph/settings.ts";

/** The constant of wgsl/lib/kv-kinds.wgsl that stands for a type. */
export const kvKind = (type: CacheType): string => `KV_${type.toUpperCase()}`;

/** Quads, four elements each, in 16 bytes of a slab, by such a constant. */
export const kvQuads: Readonly<Record<string, number>> = {
  KV_F32: 1,
  KV_F16: 2,
  KV_Q8_0: 4,
  KV_Q4_0: 8,
};

/** A key/value slot in its slab: rows of [keys of all heads | their scales | values of all heads | their scales]. */
export interface SlotLayout {
  readonly kind: "kv";
  /** Name of the slab for the plan. */
  readonly buffer: string;
  /** Which of the pool's kinds of pages its rows are on. */
  readonly pageKind: number;
  readonly heads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly valueIsKeyPrefix: boolean;
  readonly rowWords: number;
  /** Where the values begin in a row, and where the scales of types that have some (wgsl/lib/kv-kinds.wgsl). */
  readonly valueWord: number;
  readonly keyScales: number;
  readonly valueScales: number;
  /** Rows of a sequence where the slot holds a window only, otherwise 0: whole pages. */
  readonly ring: number;
  readonly bytes: number;
  /** "f16", or "f16/q8_0" when keys and values differ. */
  readonly typeName: string;
  /** Constants of the kernels that read or write the slab; a key head has K_HEAD vec4s of elements. */
  readonly consts: Readonly<
    Record<"RING" | "PAGE" | "TABLE" | "FIRST_PAGE" | "K_HEAD" | "V_HEAD", number> &
      Record<"K_KIND" | "V_KIND", string>
  >;
}

/** A recurrent slot: `size` floats a sequence. */
export interface StateLayout {
  readonly kind: "state";
  readonly buffer: string;
  readonly size: number;
  readonly bytes: number;
}
