/** Random walks over the bytes that a grammar allows. */
import { expect } from "vitest";
import type { Automaton, State } from "../../../src/grammar/automaton.ts";

const MOST_BYTES = 1500;

/** A text that the grammar derives; undefined where the walk finds no end. */
export function walk(automaton: Automaton, below: (count: number) => number): string | undefined {
  const bytes: number[] = [];
  let state: State = automaton.start;
  const closing = [...'"}]:,'].map((one) => one.charCodeAt(0));
  while (bytes.length < MOST_BYTES) {
    if (state.complete && below(2) === 0) break;
    const ways: [number, State][] = [];
    const add = (byte: number): void => {
      const next = automaton.stepByte(state, byte);
      if (next) ways.push([byte, next]);
    };
    if (bytes.length > 60 || below(10) < 3) closing.forEach(add);
    if (ways.length === 0) for (const byte of automaton.classBytes) add(byte);
    if (ways.length === 0) {
      expect(state.complete).toBe(true);
      break;
    }
    const [byte, next] = ways[below(ways.length)];
    bytes.push(byte);
    state = next;
  }
  return state.complete
    ? new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes))
    : undefined;
}
