/** Ids of tool calls for formats that have none of their own. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * Ids of the calls of one answer, by their number: 9 letters and digits, as Mistral's templates demand.
 * The same `seed` gives the same ids; without one (or below 0) they are random.
 */
export function toolCallIds(seed = -1): (index: number) => string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const [low, high] = seed < 0 ? random : [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  return (index) => {
    let state = (low ^ Math.imul(high, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
    let id = "";
    for (let i = 0; i < 9; i++) {
      // The finalizer of MurmurHash3 on a counter.
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      id += LETTERS[((mixed ^ (mixed >>> 16)) >>> 0) % LETTERS.length];
    }
    return id;
  };
}
