/**
 * Room for intermediate values: a few buffers, shared by lifetime. No dispatch reads and writes the same
 * buffer (WebGPU forbids it even for disjoint ranges), so a value never lives in the buffer of a value that is
 * read while it is written. Pure numbers; offsets and sizes in f32 elements.
 */

const ALIGN = 64; // elements: 256 bytes, so that any value may be bound by itself

interface Block {
  readonly start: number;
  readonly end: number;
}

export interface Slot {
  readonly buffer: number;
  readonly offset: number;
  readonly size: number;
}

export class Arena {
  readonly #live: Block[][] = [];
  readonly #sizes: number[] = [];

  /** Elements each buffer needs. */
  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /** Places `size` elements in the buffer that grows least, but in none of `avoid`. */
  allocate(size: number, avoid: ReadonlySet<number>): Slot {
    const needed = Math.ceil(size / ALIGN) * ALIGN;
    let best: Slot | undefined;
    let growth = Number.POSITIVE_INFINITY;
    for (let buffer = 0; buffer < this.#live.length; buffer++) {
      if (avoid.has(buffer)) continue;
      const offset = firstFit(this.#live[buffer], needed);
      const grows = Math.max(0, offset + needed - this.#sizes[buffer]);
      if (grows < growth) {
        growth = grows;
        best = { buffer, offset, size: needed };
      }
    }
    if (!best) {
      best = { buffer: this.#live.length, offset: 0, size: needed };
      this.#live.push([]);
      this.#sizes.push(0);
    }
    this.#live[best.buffer].push({ start: best.offset, end: best.offset + needed });
    this.#live[best.buffer].sort((a, b) => a.start - b.start);
    this.#sizes[best.buffer] = Math.max(this.#sizes[best.buffer], best.offset + needed);
    return best;
  }

  free(slot: Slot): void {
    const blocks = this.#live[slot.buffer];
    blocks.splice(
      blocks.findIndex((b) => b.start === slot.offset),
      1,
    );
  }
}

function firstFit(blocks: readonly Block[], size: number): number {
  let at = 0;
  for (const block of blocks) {
    if (block.start - at >= size) return at;
    at = Math.max(at, block.end);
  }
  return at;
}
