import { describe, expect, it } from "vitest";
import type { Executor } from "../../src/graph/executor.ts";
import { Sequences } from "../../src/session/sequences.ts";

const never = new AbortController().signal;
const make = (maxSequences: number): { sequences: Sequences; emptied: number[] } => {
  const emptied: number[] = [];
  const executor = {
    maxSequences,
    rewind: (sequence: number) => {
      emptied.push(sequence);
      return 0;
    },
  } as unknown as Executor;
  return { sequences: new Sequences(executor), emptied };
};
const [a, b, c] = [{ a: 1 }, { b: 1 }, { c: 1 }];

describe("sequences", () => {
  it("stay with an idle holder", async () => {
    const { sequences, emptied } = make(1);
    const first = await sequences.acquire(a, never);
    sequences.release(a);
    const before = emptied.length;
    expect(await sequences.acquire(a, never)).toBe(first);
    expect(emptied.length).toBe(before);
  });

  it("are taken from whoever is idle longest", async () => {
    const { sequences } = make(2);
    const first = await sequences.acquire(a, never);
    const second = await sequences.acquire(b, never);
    sequences.release(b);
    sequences.release(a);
    expect(await sequences.acquire(c, never)).toBe(second);
    expect(await sequences.acquire(a, never)).toBe(first);
  });

  it("are waited for in order", async () => {
    const { sequences } = make(1);
    await sequences.acquire(a, never);
    const order: string[] = [];
    const waitB = sequences.acquire(b, never).then(() => order.push("b"));
    const waitC = sequences.acquire(c, never).then(() => order.push("c"));
    sequences.release(a);
    await waitB;
    sequences.drop(b);
    await waitC;
    expect(order).toEqual(["b", "c"]);
  });

  it("are not waited for after an abort", async () => {
    const { sequences } = make(1);
    await sequences.acquire(a, never);
    const stop = new AbortController();
    const waiting = sequences.acquire(b, stop.signal).catch((error: unknown) => error);
    stop.abort("enough");
    expect(await waiting).toBe("enough");
    sequences.release(a);
    expect(await sequences.acquire(c, never)).toBe(0);
  });
});
