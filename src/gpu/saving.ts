/** Rows of sequences between the slabs of the cache and the host. */
import { WebggufError } from "../base/errors.ts";
import { PAGE, type Pool, type Ring } from "../graph/pool.ts";
import {
  firstNeeded,
  type SavedRows,
  type SavedSlot,
  type Saving,
  type SlotForm,
} from "../graph/saved.ts";
import type { CacheType } from "../graph/settings.ts";
import type { SlotLayout, StateLayout } from "../kernels/slot.ts";
import { type Buffers, BufferUsage, MapMode } from "../platform/buffers.ts";

type Layout = SlotLayout | StateLayout;

export interface SavingParts {
  readonly device: GPUDevice;
  readonly buffers: Buffers;
  readonly named: ReadonlyMap<string, GPUBuffer>;
  readonly slots: readonly Layout[];
  readonly pool: Pool;
  /** The windows of the pool's further kinds of pages. */
  readonly rings: readonly Ring[];
  /** Throws when the device or its owner is gone. */
  readonly check: () => void;
  /** Submits all that is pending. */
  readonly flush: () => void;
  /** Makes room for the rows of a text, which are on their way to a sequence's pages, and keeps its state. */
  readonly append: (sequence: number, count: number) => void;
  readonly appended: (sequence: number, text: readonly number[]) => void;
}

/** Takes rows out of the executor of these parts, and into it. */
export function savingOn(parts: SavingParts): Saving {
  const forms = formsOf(parts);
  return {
    forms,
    async save(sequence) {
      parts.check();
      parts.flush();
      return saveRows(sequence, forms, parts);
    },
    load(sequence, text, saved) {
      if (!hasRows(forms, saved)) return false;
      parts.check();
      parts.flush();
      parts.append(sequence, saved.length);
      loadRows(sequence, forms, saved, parts);
      parts.appended(sequence, text.slice(0, saved.length));
      return true;
    },
  };
}

/** Bytes that are brought to the host at once. */
const STAGING = 16 << 20;

const typeOf = (kind: string): CacheType => kind.slice(3).toLowerCase() as CacheType;

/** Bytes of a row that stand next to each other in the slab and in what is saved. */
interface Stretch {
  readonly slab: number;
  readonly saved: number;
  readonly bytes: number;
}

/** Where the parts of a row stand: f32 and f16 heads are saved without what fills their last vec4. */
function stretches(slot: SlotLayout): Stretch[] {
  const { heads, keyWidth, valueWidth, valueIsKeyPrefix, valueWord, rowWords, consts } = slot;
  const parts: Stretch[] = [];
  let saved = 0;
  const add = (slab: number, bytes: number): void => {
    const last = parts.at(-1);
    if (last && last.slab + last.bytes === slab)
      parts[parts.length - 1] = { ...last, bytes: last.bytes + bytes };
    else parts.push({ slab, saved, bytes });
    saved += bytes;
  };
  const part = (kind: string, head: number, width: number, from: number, end: number): void => {
    const size = { KV_F32: 4, KV_F16: 2 }[kind];
    if (size === undefined) add(4 * from, 4 * (end - from));
    else for (let h = 0; h < heads; h++) add(4 * from + 16 * head * h, size * width);
  };
  part(consts.K_KIND, consts.K_HEAD, keyWidth, 0, valueWord);
  if (!valueIsKeyPrefix) part(consts.V_KIND, consts.V_HEAD, valueWidth, valueWord, rowWords);
  return parts;
}

function formsOf({ slots, rings }: SavingParts): SlotForm[] {
  return slots.map((slot) => {
    if (slot.kind === "state") return { kind: "state", bytes: 4 * slot.size };
    const { K_KIND, V_KIND } = slot.consts;
    return {
      kind: "kv",
      keys: typeOf(K_KIND),
      values: typeOf(V_KIND),
      bytes: stretches(slot).reduce((sum, { bytes }) => sum + bytes, 0),
      window: slot.pageKind === 0 ? 0 : rings[slot.pageKind - 1].window,
    };
  });
}

async function saveRows(
  sequence: number,
  forms: readonly SlotForm[],
  { device, buffers, named, slots, pool, check }: SavingParts,
): Promise<SavedRows> {
  const length = pool.length(sequence);
  const largest = Math.max(
    ...slots.map((slot) => (slot.kind === "kv" ? 4 * PAGE * slot.rowWords : 4 * slot.size)),
  );
  const staging = buffers.allocate(
    "staging",
    Math.max(largest, STAGING),
    BufferUsage.mapRead | BufferUsage.copyTarget,
  );
  /** Brings the bytes of several places of one buffer to the host. */
  const bring = async (from: GPUBuffer, places: readonly number[], bytes: number) => {
    const encoder = device.createCommandEncoder();
    places.forEach((place, i) => {
      encoder.copyBufferToBuffer(from, place, staging, i * bytes, bytes);
    });
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MapMode.read, 0, places.length * bytes);
    check();
    const copy = new Uint8Array(staging.getMappedRange(0, places.length * bytes).slice(0));
    staging.unmap();
    return copy;
  };
  try {
    const saved: SavedSlot[] = [];
    for (const [i, slot] of slots.entries()) {
      const buffer = named.get(slot.buffer)!;
      if (slot.kind === "state") {
        const bytes = 4 * slot.size;
        saved.push({ first: 0, bytes: await bring(buffer, [sequence * bytes], bytes) });
        continue;
      }
      // All that is there, so that the rows can be shortened as they can here.
      let first = 0;
      while (first < length && pool.pageOf(sequence, slot.pageKind, first / PAGE) < 0)
        first += PAGE;
      const out = new Uint8Array((length - first) * forms[i].bytes);
      const rowBytes = 4 * slot.rowWords;
      const atOnce = Math.max(1, Math.floor(staging.size / (PAGE * rowBytes)));
      const parts = stretches(slot);
      for (let at = first; at < length; at += atOnce * PAGE) {
        const pages: number[] = [];
        for (let row = at; row < Math.min(length, at + atOnce * PAGE); row += PAGE)
          pages.push(pool.pageOf(sequence, slot.pageKind, row / PAGE) * PAGE * rowBytes);
        const rows = await bring(buffer, pages, PAGE * rowBytes);
        for (let row = at; row < Math.min(length, at + atOnce * PAGE); row++)
          for (const { slab, saved, bytes } of parts) {
            const source = (row - at) * rowBytes + slab;
            out.set(rows.subarray(source, source + bytes), (row - first) * forms[i].bytes + saved);
          }
      }
      saved.push({ first, bytes: out });
    }
    return { length, slots: saved };
  } catch (cause) {
    check();
    throw new WebggufError(
      "device/lost",
      "Cannot save the rows of a session: the GPU went away; call model.restore()",
      { cause },
    );
  } finally {
    buffers.free(staging);
  }
}

/** Whether the rows before the last ones are all there that their windows look back at. */
const hasRows = (forms: readonly SlotForm[], { length, slots }: SavedRows): boolean =>
  forms.every(
    (form, i) => form.kind === "state" || slots[i].first <= firstNeeded(length, form.window),
  );

/** Writes rows to the pages that the sequence has for them. */
function loadRows(
  sequence: number,
  forms: readonly SlotForm[],
  { length, slots: saved }: SavedRows,
  { device, named, slots, pool }: SavingParts,
): void {
  slots.forEach((slot, i) => {
    const buffer = named.get(slot.buffer)!;
    const { first, bytes: all } = saved[i];
    if (slot.kind === "kv" && slot.pageKind > 0)
      pool.without(sequence, slot.pageKind, first / PAGE);
    if (slot.kind === "state") {
      device.queue.writeBuffer(buffer, sequence * 4 * slot.size, all);
      return;
    }
    const rowBytes = 4 * slot.rowWords;
    const page = new Uint8Array(PAGE * rowBytes);
    const parts = stretches(slot);
    for (let at = first; at < length; at += PAGE) {
      const unit = pool.pageOf(sequence, slot.pageKind, at / PAGE);
      if (unit < 0) continue;
      const rows = Math.min(PAGE, length - at);
      for (let row = 0; row < rows; row++)
        for (const part of parts) {
          const source = (at - first + row) * forms[i].bytes + part.saved;
          page.set(all.subarray(source, source + part.bytes), row * rowBytes + part.slab);
        }
      device.queue.writeBuffer(buffer, unit * PAGE * rowBytes, page, 0, rows * rowBytes);
    }
  });
}
