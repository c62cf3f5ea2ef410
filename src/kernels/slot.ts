/** What kernels know of cache slots: where keys, values and state stand in their buffers. */
import type { CacheType } from "../graph/settings.ts";

/** The constant of wgsl/lib/kv-kinds.wgsl that stands for a type. */
export const kvKind = (type: CacheType): string => `KV_${type.toUpperCase()}`;

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
  /** Rows of a sequence where the slot holds a window only, otherwise 0. */
  readonly ring: number;
  readonly bytes: number;
  /** "f16", or "f16/q8_0" when keys and values differ. */
  readonly typeName: string;
  /** Constants of the kernels that read or write the slab. */
  readonly consts: Readonly<
    Record<"RING" | "PAGE" | "MAX_PAGES", number> & Record<"K_KIND" | "V_KIND", string>
  >;
}

/** A recurrent slot: `size` floats a sequence. */
export interface StateLayout {
  readonly kind: "state";
  readonly buffer: string;
  readonly size: number;
  readonly bytes: number;
}
