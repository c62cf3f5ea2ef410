/** The tokens accepted last, newest last, at most `capacity` of them, with their counts. */
export interface History {
  readonly length: number;
  /** How often each token occurs. */
  readonly counts: ReadonlyMap<number, number>;
  /** The token `back` places before the newest one (0 = the newest). */
  recent(back: number): number;
  push(token: number): void;
  clear(): void;
}

/** An empty history; its memory grows with what is pushed, not with `capacity`. */
export function createHistory(capacity: number): History {
  let tokens: number[] = [];
  let start = 0; // tokens before it have left the window
  const counts = new Map<number, number>();
  return {
    get length() {
      return tokens.length - start;
    },
    counts,
    recent: (back) => tokens[tokens.length - 1 - back],
    push(token) {
      if (capacity <= 0) return;
      if (tokens.length - start === capacity) {
        const oldest = tokens[start++];
        const left = (counts.get(oldest) as number) - 1;
        if (left === 0) counts.delete(oldest);
        else counts.set(oldest, left);
      }
      tokens.push(token);
      counts.set(token, (counts.get(token) ?? 0) + 1);
      if (start > 1024 && start * 2 > tokens.length) {
        tokens = tokens.slice(start);
        start = 0;
      }
    },
    clear() {
      tokens = [];
      start = 0;
      counts.clear();
    },
  };
}
