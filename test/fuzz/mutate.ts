/** Seeded damage to files. */

/** mulberry32: a small generator that gives the same numbers everywhere. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Numbers that break readers. */
const nasty = [0, 1, 2, 3, 7, 8, 9, 12, 13, 31, 32, 63, 64, 127, 128, 255, 0x7fffffff, 0xffffffff];

/** A copy of `seed` with one to four changes, all in its first `header` bytes. */
export function mutate(
  seed: Uint8Array<ArrayBuffer>,
  below: (n: number) => number,
  header: number = seed.length,
): Uint8Array<ArrayBuffer> {
  let bytes = seed.slice();
  for (let times = 1 + below(4); times > 0 && bytes.length > 8; times--) {
    const at = below(Math.min(header, bytes.length));
    switch (below(6)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes[at] ^= 1 << below(8);
        break;
      case 2: {
        const view = new DataView(bytes.buffer);
        view.setUint32(Math.min(at, bytes.length - 4), nasty[below(nasty.length)], true);
        break;
      }
      case 3: {
        const view = new DataView(bytes.buffer);
        const value = BigInt(nasty[below(nasty.length)]) << BigInt(below(33));
        view.setBigUint64(Math.min(at, bytes.length - 8), value, true);
        break;
      }
      case 4:
        bytes = bytes.slice(0, at);
        break;
      default:
        bytes.copyWithin(at, below(bytes.length), bytes.length);
    }
  }
  return bytes;
}
