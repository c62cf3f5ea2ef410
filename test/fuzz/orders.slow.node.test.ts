/** Ten thousand steps in random orders on the CPU path and over a worker: see orders.ts. */
import { describe, expect, it } from "vitest";
import { fixture } from "../fixture.ts";
import { random } from "./mutate.ts";
import { counting, type OrdersOptions, playOrder } from "./orders.ts";

/** Milliseconds after which no further order begins. */
const TIME = 150_000;

const play = (
  seed: number,
  orders: number,
  how: Omit<OrdersOptions, "below">,
): Promise<{ steps: number; faults: string[] }> =>
  counting(async (open) => {
    const started = performance.now();
    const sum = { steps: 0, faults: [] as string[] };
    const outcomes = new Map<string, number>();
    let longest = 0;
    for (let at = 0; at < orders && performance.now() - started < TIME; at++) {
      const report = await playOrder({ ...how, below: random(seed + at) }, open);
      sum.steps += report.steps;
      sum.faults.push(...report.faults.map((fault) => `order ${seed + at}: ${fault}`));
      longest = Math.max(longest, report.longest);
      for (const [name, count] of report.outcomes)
        outcomes.set(name, (outcomes.get(name) ?? 0) + count);
      if (sum.faults.length > 5) break;
    }
    console.log(
      `${sum.steps} steps, the longest call ${Math.round(longest)} ms; ` +
        [...outcomes]
          .sort()
          .map(([name, count]) => `${name} ${count}`)
          .join(", "),
    );
    return sum;
  });

describe("orders of calls", async () => {
  const bytes = await fixture("reference/archs/llama.gguf");
  const load = { device: "cpu", contextLength: 64 } as const;

  it.each([
    ["on the CPU path", false],
    ["over a worker", true],
  ] as const)(
    "%s end in results and typed errors, in time, and leave nothing",
    async (_, inWorker) => {
      const how = { bytes, load, inWorker, steps: 100, limit: 5000 };
      const { steps, faults } = await play(inWorker ? 1000 : 1, 50, how);
      expect(faults).toEqual([]);
      expect(steps).toBeGreaterThan(1000);
    },
  );
});
