/** Plain characters: those that stand in a JSON string as they are, which most tokens consist of. */
import type { Automaton, State } from "./automaton.ts";
import { type Range, utf8Sequences } from "./regex/bytes.ts";

const PLAIN: readonly Range[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x7e],
  [0x80, 0x10ffff],
];
const SEQUENCES = utf8Sequences(PLAIN);

/** How many characters the bytes are, where all are plain and whole; else 0. */
export function plainCharacters(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    const first = bytes[at];
    if (first < 0x80) {
      if (first < 0x20 || first === 0x22 || first === 0x5c || first === 0x7f) return 0;
      at++;
      continue;
    }
    const second = bytes[at + 1];
    const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length === 0 || at + length > bytes.length) return 0;
    for (let i = 1; i < length; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return 0;
    // Longer than needed, a surrogate, or beyond the last character.
    if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0;
    if ((first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0;
    at += length;
  }
  return count;
}

/** For how many plain characters a state surely goes on, whichever they are. */
export interface Run {
  readonly atLeast: number;
  /** Whether no plain character at all may follow as many. */
  readonly exact: boolean;
}

/** States to look at, at most. */
const MOST_STATES = 64;

/** Looks at most `most` characters ahead; Infinity where there is no end. */
export function plainRun(automaton: Automaton, start: State, most: number): Run {
  const seen = new Set<State>([start]);
  let level = [start];
  let repeats = false;
  for (let count = 0; count < most; count++) {
    const next = new Set<State>();
    let [alive, dead] = [0, 0];
    for (const state of level)
      for (const after of characters(automaton, state)) {
        if (after === null) dead++;
        else alive++;
        if (after) next.add(after);
      }
    if (dead > 0) return { atLeast: count, exact: alive === 0 && !repeats };
    level = [...next].filter((state) => !seen.has(state));
    repeats ||= level.length < next.size;
    if (level.length === 0) return { atLeast: Number.POSITIVE_INFINITY, exact: false };
    for (const state of level) seen.add(state);
    if (seen.size > MOST_STATES) return { atLeast: count + 1, exact: false };
  }
  return { atLeast: most, exact: false };
}

/** Whether any plain character leads back to the state, so that any number of them may come. */
export function isFree(automaton: Automaton, state: State): boolean {
  if (automaton.stepByte(state, 0x61) !== state) return false;
  for (const after of characters(automaton, state)) if (after !== state) return false;
  return true;
}

/** What plain characters lead to. */
function characters(automaton: Automaton, state: State): Set<State | null> {
  const after = new Set<State | null>();
  for (const sequence of classesOf(automaton)) {
    let states: Iterable<State | null> = [state];
    for (const classes of sequence) {
      const next = new Set<State | null>();
      for (const one of states)
        if (!one) next.add(one);
        else for (const of of classes) next.add(automaton.step(one, of));
      states = next;
    }
    for (const one of states) after.add(one);
  }
  return after;
}

const known = new WeakMap<Automaton, { count: number; sequences: number[][][] }>();

/** The classes of the bytes of {@link SEQUENCES}. */
function classesOf(automaton: Automaton): number[][][] {
  const { classOf, classBytes } = automaton;
  let found = known.get(automaton);
  if (found?.count !== classBytes.length) {
    const sequences = SEQUENCES.map((sequence) =>
      sequence.map(([from, to]) => [...new Set(classOf.subarray(from, to + 1))]),
    );
    found = { count: classBytes.length, sequences };
    known.set(automaton, found);
  }
  return found.sequences;
}
