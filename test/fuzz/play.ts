/** Plays orders of calls one after the other: see orders.ts. */
import { random } from "./mutate.ts";
import { counting, type OrdersOptions, playOrder } from "./orders.ts";

/** Plays `orders` orders, the first with `seed`; none begins after `time` milliseconds. */
export const play = (
  seed: number,
  orders: number,
  time: number,
  how: Omit<OrdersOptions, "below">,
): Promise<{ steps: number; faults: string[] }> =>
  counting(async (open) => {
    const started = performance.now();
    const sum = { steps: 0, faults: [] as string[] };
    const outcomes = new Map<string, number>();
    let longest = 0;
    for (let at = 0; at < orders && performance.now() - started < time; at++) {
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
