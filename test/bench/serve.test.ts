/** The load on servers: what is counted of it, against numbers by hand and a server that is known. */
import { describe, expect, it } from "vitest";
import { arrivals, sendAll } from "../../bench/serve/load.ts";
import { metricsOf, percentile, report } from "../../bench/serve/metrics.ts";
import { ask, type Measured, type Target } from "../../bench/serve/request.ts";

const settings = { prompts: 12, rate: Infinity, concurrency: 3, words: 4, seed: 1 };
const chunk = (data: unknown): string => `data: ${JSON.stringify(data)}\r\n\r\n`;

/** A server that sends these parts, one a millisecond. */
function server(
  parts: readonly string[],
  status = 200,
): Target & { most: number; bodies: string[] } {
  let running = 0;
  const known = {
    most: 0,
    bodies: [] as string[],
    url: new URL("http://localhost/v1/completions"),
    headers: {},
    body: { model: "m" },
    fetch: (async (_: URL, init: RequestInit) => {
      known.bodies.push(String(init.body));
      known.most = Math.max(known.most, ++running);
      const text = new ReadableStream<Uint8Array>({
        async start(controller) {
          for (const part of parts) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            controller.enqueue(new TextEncoder().encode(part));
          }
          running--;
          controller.close();
        },
      });
      return new Response(text, { status });
    }) as typeof fetch,
  };
  return known;
}

describe("bench:serve", () => {
  it("counts as vLLM does", () => {
    const one = (sent: number, ended: number, ttft: number, itl: number[], outputTokens: number) =>
      ({ ok: true, sent, ended, ttft, itl, outputTokens, inputTokens: 5 }) satisfies Measured;
    const all: Measured[] = [
      one(0, 100, 20, [30, 50], 3),
      one(50, 250, 40, [160], 5),
      one(100, 110, 10, [], 1),
      { ...one(0, 5, 0, [], 0), ok: false, error: "500" },
    ];
    const metrics = metricsOf(all, 2, { goals: { ttft: 30, tpot: 40 }, percentiles: [50, 90] });
    expect(metrics).toMatchObject({
      ...{ duration: 2, completed: 3, failed: 1, total_input_tokens: 15, total_output_tokens: 9 },
      ...{ request_throughput: 1.5, output_throughput: 4.5, total_token_throughput: 12 },
      ...{ request_goodput: 1, max_concurrent_requests: 2 },
      ...{ median_ttft_ms: 20, mean_tpot_ms: 40, mean_itl_ms: 80, median_itl_ms: 50 },
      ...{ p50_e2el_ms: 100, p90_e2el_ms: 180 },
    });
    expect(metrics.std_ttft_ms).toBeCloseTo(Math.sqrt((11.11111 + 277.77778 + 177.77778) / 3), 3);
    expect(metricsOf(all, 2).request_goodput).toBe(null);
    expect(metricsOf([], 1).mean_ttft_ms).toBe(0);
    const text = report(metrics, [50, 90]);
    for (const name of ["Median TTFT", "P90 TPOT", "Mean ITL", "P50 E2EL", "goodput"])
      expect(text).toContain(name);
    expect(
      new Set(
        text
          .split("\n")
          .filter((line) => /^[-=]/.test(line))
          .map((l) => l.length),
      ),
    ).toEqual(new Set([50]));
  });

  it("percentiles lie between values by share", () => {
    expect([0, 25, 50, 90, 100].map((p) => percentile([40, 10, 30, 20], p))).toEqual([
      10, 17.5, 25, 37, 40,
    ]);
    expect(percentile([7], 99)).toBe(7);
  });

  it("requests come at the rate, the same for a seed", () => {
    const due = arrivals({ ...settings, prompts: 50, rate: 10 });
    expect(due).toEqual(arrivals({ ...settings, prompts: 50, rate: 10 }));
    expect(due[0]).toBe(0);
    expect(due.every((at, i) => i === 0 || at > due[i - 1])).toBe(true);
    expect(due[49]).toBeLessThan(5000);
    expect(due[49]).toBeGreaterThan(4000);
    expect(new Set(arrivals(settings))).toEqual(new Set([0]));
  });

  it("reads both endpoints, pings and usage, and no more than some requests are under way", async () => {
    const text = (value: string): string => chunk({ choices: [{ text: value }] });
    const usage = chunk({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } });
    const known = server([
      ": ping\n\n",
      text("a"),
      text(""),
      text("b") + text("c"),
      usage,
      "data: [DONE]\n\n",
    ]);
    const { results } = await sendAll(known, settings);
    expect(known.most).toBe(3);
    expect(results).toHaveLength(12);
    for (const one of results) {
      expect(one).toMatchObject({ ok: true, inputTokens: 9, outputTokens: 4 });
      expect(one.itl).toHaveLength(2);
      expect(one.ttft).toBeGreaterThan(0);
    }
    expect(new Set(known.bodies).size).toBe(12);
    const delta = (value: object): string => chunk({ choices: [{ delta: value }] });
    const chat = {
      ...server([
        delta({ role: "assistant", content: null }),
        delta({ reasoning_content: "x" }),
        delta({ content: "y" }),
      ]),
      url: new URL("http://localhost/v1/chat/completions"),
    };
    // Without usage a text counts as a token, and a word as one of the prompt.
    expect(await ask(chat, "one two", 2)).toMatchObject({
      ok: true,
      inputTokens: 2,
      outputTokens: 2,
    });
    expect(JSON.parse(chat.bodies[0]).messages[0].content).toBe("one two");
  });

  it("what fails is counted with its reason", async () => {
    const failing = [
      server(["no"], 503),
      server([chunk({ error: { message: "no" } })]),
      server(["data: {\n\n"]),
      server([]),
      { ...server([]), fetch: (() => Promise.reject(new Error("no"))) as typeof fetch },
    ];
    for (const one of failing) {
      const { ok, error } = await ask(one, "a", 1);
      expect([ok, typeof error]).toEqual([false, "string"]);
    }
  });
});
