/**
 * What a session has computed, in order, is a list of items. A token is its id. A given row (a vector in
 * place of a token's embedding, as of an image) is a negative number made of its content: rows are the
 * same where their items are, and a prompt finds them again as it finds tokens.
 */
import type { SequenceId, StepInput, StepRequest } from "../graph/requests.ts";

/** The vectors of given rows, by their items. */
export class GivenVectors {
  readonly #vectors = new Map<number, Float32Array>();

  /** The items of rows [count][width], which are copied. */
  add(rows: ArrayLike<number>, width: number): number[] {
    const all = Float32Array.from(rows);
    const items: number[] = [];
    for (let at = 0; at < all.length; at += width) {
      const vector = all.slice(at, at + width);
      let item = -1 - digest(vector);
      // Different rows of one digest stand side by side.
      for (; ; item--) {
        const other = this.#vectors.get(item);
        if (!other) this.#vectors.set(item, vector);
        if (!other || sameBits(other, vector)) break;
      }
      items.push(item);
    }
    return items;
  }

  /** The vectors by their items. */
  get all(): ReadonlyMap<number, Float32Array> {
    return this.#vectors;
  }

  /** Takes the place of what there is. */
  replace(vectors: ReadonlyMap<number, Float32Array>): void {
    this.#vectors.clear();
    for (const [item, vector] of vectors) this.#vectors.set(item, vector);
  }

  /** Forgets all vectors but those of these items. */
  retain(items: readonly number[]): void {
    if (this.#vectors.size === 0) return;
    const used = new Set(items);
    for (const item of this.#vectors.keys()) if (!used.has(item)) this.#vectors.delete(item);
  }

  /** The vectors of given rows, one after the other. */
  rowsOf(items: readonly number[]): Float32Array {
    const vectors = items.map((item) => this.#vectors.get(item)!);
    const width = vectors[0].length;
    const rows = new Float32Array(items.length * width);
    vectors.forEach((vector, i) => {
      rows.set(vector, i * width);
    });
    return rows;
  }
}

/**
 * The requests that append items to a sequence, one for each run of tokens or of given rows; of outputs
 * "last", the last request has it. Without `vectors`, all items are tokens.
 */
export function requestsFor<const A extends Omit<StepRequest, "sequence" | "input">>(
  sequence: SequenceId,
  items: ArrayLike<number> | "sampled",
  vectors: GivenVectors | undefined,
  asked: A,
): ({ readonly sequence: SequenceId; readonly input: StepInput } & A)[] {
  if (items === "sampled" || !vectors) return [{ sequence, input: items, ...asked }];
  const requests: ({ sequence: SequenceId; input: StepInput } & A)[] = [];
  for (let at = 0; at < items.length; ) {
    const given = items[at] < 0;
    let end = at + 1;
    while (end < items.length && items[end] < 0 === given) end++;
    const run: number[] = Array.prototype.slice.call(items, at, end);
    const input = given ? { rows: vectors.rowsOf(run) } : run;
    const before = end < items.length && asked.outputs === "last";
    requests.push({ sequence, input, ...asked, ...(before && { outputs: "none" }) });
    at = end;
  }
  return requests;
}

/** FNV-1a over the words of a vector. */
function digest(vector: Float32Array): number {
  let h = 0x811c9dc5;
  for (const word of new Uint32Array(vector.buffer)) h = Math.imul(h ^ word, 0x01000193);
  return h >>> 0;
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
  return x.length === y.length && x.every((word, i) => word === y[i]);
}
