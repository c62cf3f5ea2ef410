/** A set of ranges of bytes, kept in order and without gaps between neighbours that touch. Pure. */
export class Spans {
  #all: [from: number, to: number][] = [];

  constructor(all: readonly (readonly [number, number])[] = []) {
    for (const [from, to] of all) this.add(from, to);
  }

  /** Bytes in it. */
  get bytes(): number {
    return this.#all.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  get all(): readonly (readonly [number, number])[] {
    return this.#all;
  }

  add(from: number, to: number): void {
    if (from >= to) return;
    const first = this.#all.findIndex((span) => span[1] >= from);
    if (first < 0) {
      this.#all.push([from, to]);
      return;
    }
    let last = first;
    while (last < this.#all.length && this.#all[last][0] <= to) last++;
    if (last > first) {
      from = Math.min(from, this.#all[first][0]);
      to = Math.max(to, this.#all[last - 1][1]);
    }
    this.#all.splice(first, last - first, [from, to]);
  }

  /** How far it goes on without a gap from a byte; the byte itself where that is missing. */
  reach(at: number): number {
    return this.#all.find(([from, to]) => from <= at && at < to)?.[1] ?? at;
  }

  /** The first gap at or after a byte, up to `end`; undefined where there is none. */
  gap(at: number, end: number): readonly [from: number, to: number] | undefined {
    const from = this.reach(at);
    if (from >= end) return undefined;
    const next = this.#all.find((span) => span[0] > from)?.[0] ?? end;
    return [from, Math.min(next, end)];
  }
}
