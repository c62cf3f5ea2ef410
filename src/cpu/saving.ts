/** Rows of the CPU path's sequences, to be kept elsewhere. */
import { floatToHalf, halfToFloat } from "../base/half.ts";
import type { Graph } from "../graph/graph.ts";
import type { SavedRows, SavedSlot, SlotForm } from "../graph/saved.ts";
import type { CacheType } from "../graph/settings.ts";
import type { Sequence } from "./sequence.ts";

/** Every type but f32 is held rounded to f16. */
const held = (type: CacheType): "f32" | "f16" => (type === "f32" ? "f32" : "f16");
const sizes = { f32: 4, f16: 2 };

/** The form of each slot. */
export const formsOf = (graph: Graph, typeK: CacheType, typeV: CacheType): SlotForm[] =>
  graph.slots.map((slot) => {
    if (slot.kind === "state") return { kind: "state", bytes: 4 * slot.size };
    const [keys, values] = [held(typeK), held(slot.valueIsKeyPrefix ? typeK : typeV)];
    const { heads, keyWidth, valueWidth, window } = slot;
    const bytes =
      heads * (keyWidth * sizes[keys] + (slot.valueIsKeyPrefix ? 0 : valueWidth * sizes[values]));
    return { kind: "kv", keys, values, bytes, window };
  });

/** All rows, and the state behind the last. */
export function saveRows(sequence: Sequence, forms: readonly SlotForm[]): SavedRows {
  const { computed: length } = sequence;
  const slots = forms.map((form, i): SavedSlot => {
    if (form.kind === "state") {
      const state = sequence.state(i, 0, form.bytes / 4);
      return { first: 0, bytes: bytesOf(Float32Array.from(state)) };
    }
    const bytes = new Uint8Array(length * form.bytes);
    let at = 0;
    for (const { half, width, data } of sequence.rowsOf(i)) {
      const size = width * (half ? 2 : 4);
      for (let row = 0; row < length; row++) {
        const floats = data.subarray(row * width, (row + 1) * width);
        const stored = half ? Uint16Array.from(floats, floatToHalf) : Float32Array.from(floats);
        bytes.set(bytesOf(stored), row * form.bytes + at);
      }
      at += size;
    }
    return { first: 0, bytes };
  });
  return { length, slots };
}

export function loadRows(
  sequence: Sequence,
  forms: readonly SlotForm[],
  { length, slots }: SavedRows,
): void {
  forms.forEach((form, i) => {
    const { bytes } = slots[i];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (form.kind === "state") {
      const state = sequence.state(i, 0, form.bytes / 4);
      for (let k = 0; k < state.length; k++) state[k] = view.getFloat32(4 * k, true);
      return;
    }
    let at = 0;
    for (const rows of sequence.rowsOf(i)) {
      const { half, width } = rows;
      const floats = new Float32Array(width);
      const size = half ? 2 : 4;
      for (let row = 0; row < length; row++) {
        const from = row * form.bytes + at;
        for (let k = 0; k < width; k++)
          floats[k] = half
            ? halfToFloat(view.getUint16(from + 2 * k, true))
            : view.getFloat32(from + 4 * k, true);
        rows.load(floats, row);
      }
      at += width * size;
    }
  });
}

const bytesOf = (
  array: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
