/** Builders of attention, its caches and what gives positions to queries and keys. */
import type { OpBody, Ref, RopeTable } from "../ops.ts";
import type { GraphFacts, Tape } from "../tape.ts";

/** What attention needs beyond its values. */
export interface AttentionSettings {
  readonly heads: number;
  readonly slot: number;
  readonly scale: number;
  /** 0 = none. */
  readonly softcap?: number;
  /** 0 = none. */
  readonly window?: number;
  /** @default "sliding" */
  readonly windowKind?: Extract<OpBody, { op: "attention" }>["windowKind"];
  /** Stem of the sink logits. */
  readonly sinks?: string;
  /** ALiBi's largest bias, 0 = none. */
  readonly alibi?: number;
  /** @default what the graph's facts say */
  readonly causal?: boolean;
}

export interface AttentionOps {
  /** Rotates `table.rotated` elements of each head, from its element `start` (default 0). */
  rope(x: Ref, headWidth: number, style: "norm" | "neox", table: RopeTable, start?: number): Ref;
  positionScale(x: Ref, floorScale: number, factor: number, offset: number): Ref;
  /** A key/value slot of the current layer; returns its number. */
  kvSlot(
    heads: number,
    keyWidth: number,
    valueWidth: number,
    window?: number,
    valueIsKeyPrefix?: boolean,
  ): number;
  /**
   * Without k and v the slot's rows were written by an earlier layer; without v alone the value is
   * a prefix of the key.
   */
  attention(q: Ref, k: Ref | undefined, v: Ref | undefined, settings: AttentionSettings): Ref;
}

export function attentionOps(tape: Tape, facts: GraphFacts): AttentionOps {
  const { scope } = tape;
  return {
    rope(x, headWidth, style, table, start = 0) {
      tape.divides(headWidth, x);
      if (start + table.rotated > headWidth || table.rotated % 2 !== 0)
        scope.fail(
          `${table.rotated} rotated elements from ${start} do not fit a head of ${headWidth}`,
        );
      if (table.factors !== undefined) scope.expect(table.factors, table.rotated / 2);
      return tape.append({ op: "rope", x, headWidth, start, style, table }, tape.width(x));
    },
    positionScale(x, floorScale, factor, offset) {
      return tape.append({ op: "positionScale", x, floorScale, factor, offset }, tape.width(x));
    },
    kvSlot(heads, keyWidth, valueWidth, window = 0, valueIsKeyPrefix = false) {
      if (valueIsKeyPrefix && valueWidth > keyWidth)
        scope.fail(`a value of ${valueWidth} elements is no prefix of a key of ${keyWidth}`);
      const { layer } = scope;
      const rows = { heads, keyWidth, valueWidth, valueIsKeyPrefix, window };
      return tape.addSlot({ kind: "kv", layer, ...rows });
    },
    attention(q, k, v, settings) {
      const { heads, slot, scale } = settings;
      const cache = tape.slot(slot);
      if (cache?.kind !== "kv")
        return scope.fail(`attention needs a key/value slot, not slot ${slot}`);
      const { heads: kv, keyWidth, valueWidth } = cache;
      const fits =
        heads % kv === 0 &&
        tape.width(q) === heads * keyWidth &&
        (k === undefined || tape.width(k) === kv * keyWidth) &&
        (v === undefined || tape.width(v) === kv * valueWidth);
      if (!fits)
        scope.fail(
          `queries of ${tape.width(q)} elements in ${heads} heads do not fit ${kv} heads ` +
            `with keys of ${keyWidth} and values of ${valueWidth}`,
        );
      const {
        softcap = 0,
        window = 0,
        windowKind = "sliding",
        alibi = 0,
        causal = facts.causal ?? true,
      } = settings;
      const sinks =
        settings.sinks === undefined ? undefined : scope.optional(settings.sinks, heads);
      const options = { slot, heads, scale, softcap, window, windowKind, sinks, alibi, causal };
      return tape.append({ op: "attention", q, k, v, ...options }, heads * valueWidth);
    },
  };
}
