/** Whatever comes, the server answers with a status below 500 that names what is wrong, and goes on. */
import { afterAll, describe, expect, it } from "vitest";
import { random } from "../fuzz/mutate.ts";
import { ID, type Json, testApp } from "./app.ts";

const messages = [{ role: "user", content: "What is 7 + 5?" }];
const tool = { type: "function", function: { name: "f", parameters: { type: "object" } } };
const sampling = {
  ...{ temperature: 0, top_k: 3, top_p: 0.9, min_p: 0.1, typical_p: 1, top_n_sigma: 1, seed: 1 },
  ...{ xtc_probability: 0, xtc_threshold: 0.1, repeat_last_n: 8, repeat_penalty: 1, min_keep: 1 },
  ...{ presence_penalty: 0, frequency_penalty: 0, dry_multiplier: 0, dry_base: 1, mirostat: 0 },
  ...{ dry_allowed_length: 2, dry_penalty_last_n: 0, dry_sequence_breakers: [], mirostat_tau: 1 },
  ...{ mirostat_eta: 0.1, dynatemp_range: 0, dynatemp_exponent: 1, samplers: ["top_k"] },
  ...{ logit_bias: { 5: 1 }, stop: ["x"], ignore_eos: false, id_slot: 0, cache_prompt: true },
};
/** Requests with every field that is read. */
const bodies: Readonly<Record<string, Json>> = {
  "/v1/chat/completions": {
    ...{ model: "m", messages, max_tokens: 1, max_completion_tokens: 1, n: 1, logprobs: true },
    ...{ top_logprobs: 1, stream: false, stream_options: {}, tools: [tool], tool_choice: "auto" },
    ...{
      reasoning_effort: "low",
      reasoning_format: "auto",
      chat_template_kwargs: {},
      n_predict: 1,
    },
    ...{ add_generation_prompt: true, reasoning_budget: 0, sse_ping_interval: 1, ...sampling },
  },
  "/v1/completions": {
    ...{ model: "m", prompt: "a", max_tokens: 1, logprobs: 1, echo: true, n: 1, stream: false },
    ...sampling,
  },
  "/completion": {
    ...{ prompt: "a", n_predict: 1, n_probs: 1, return_tokens: true, response_fields: ["content"] },
    ...{ post_sampling_probs: false, n_cmpl: 1, stream: false, ...sampling },
  },
  "/v1/responses": {
    ...{ model: "m", input: messages, instructions: "x", max_output_tokens: 1, stream: false },
    ...{ reasoning: { effort: "low" }, tools: [{ type: "function", name: "f" }], metadata: {} },
    ...{ tool_choice: "auto", temperature: 0, top_p: 1, top_logprobs: 1, background: false },
    parallel_tool_calls: true,
  },
  "/v1/messages": {
    ...{ model: "m", max_tokens: 1, messages, system: "x", stop_sequences: ["x"], stream: false },
    ...{ tools: [{ name: "f", input_schema: {} }], tool_choice: { type: "auto" }, temperature: 0 },
    thinking: { type: "disabled" },
  },
  "/v1/embeddings": { model: "m", input: "x", dimensions: 3, encoding_format: "float" },
  "/tokenize": { content: "x", add_special: true, parse_special: true, with_pieces: true },
  "/detokenize": { tokens: [1] },
  "/apply-template": { messages, tools: [tool], tool_choice: "auto", chat_template_kwargs: {} },
};
const deep = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
const wrongs: readonly unknown[] = [
  ...[true, -1, 1e308, 0.5, "", "x".repeat(5000), [], {}, [null], { a: { b: [1] } }, "../../etc"],
  deep(2000),
];

describe("hostile requests", () => {
  const app = testApp();
  afterAll(() => app.close());
  const stillAnswers = async (): Promise<void> => {
    const { body } = await app.post("/v1/chat/completions", { messages, temperature: 0 });
    expect(body.choices[0].message.content).toBe("7 + 5 = 12.");
    expect(app.host.loaded()[0].slots.busy).toBe(0);
  };

  for (const [path, body] of Object.entries(bodies))
    it(`each field of ${path} with each of ${wrongs.length} wrong values`, async () => {
      let refused = 0;
      for (const name of Object.keys(body))
        for (const wrong of wrongs) {
          const short = { max_tokens: 1, n_predict: 1, max_output_tokens: 1, ...body };
          const sent = { ...short, [name]: wrong };
          // How many tokens and answers there are is the client's to choose: not here.
          if (/^(max_|n$|n_|stream$)/.test(name) && wrong === -1) continue;
          const answer = await app.request(path, { method: "POST", body: JSON.stringify(sent) });
          const text = await answer.text();
          const known = answer.status < 500 || answer.status === 501;
          expect(known, `${path} ${name} ${JSON.stringify(wrong).slice(0, 40)}: ${text}`).toBe(
            true,
          );
          if (answer.status === 400) {
            refused++;
            const { error } = JSON.parse(text);
            expect(error.message.length).toBeGreaterThan(10);
            expect(error.message).not.toMatch(/undefined|\[object|\n/);
          }
        }
      expect(refused).toBeGreaterThan(0);
      await stillAnswers();
    });

  it("a wrong field is named", async () => {
    for (const [path, body] of Object.entries(bodies)) {
      if (path === "/v1/messages") continue; // Anthropic's form has no place for it but the message
      for (const name of Object.keys(body)) {
        const answer = await app.post(path, { ...body, [name]: { wrong: [true] } });
        if (answer.status !== 400) continue;
        const { param, message } = answer.body.error;
        expect(`${param} ${message}`).toContain(name);
      }
    }
  });

  it("bodies that are no JSON, or are none at all", async () => {
    const rest = ["", "null", "1", '"x"', "{", "[[", '{"a":}', "\u0000", "{}".repeat(1000)];
    for (const path of Object.keys(bodies))
      for (const body of rest) expect((await app.post(path, body)).status).toBe(400);
    await stillAnswers();
  });

  it("a body that never ends is given up in time", async () => {
    const slow = testApp(undefined, {}, { bodyTimeout: 50 });
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"a":')),
    });
    const request = { method: "POST", body, duplex: "half" } as RequestInit;
    // Where requests cannot be streamed, there is nothing to be slow.
    let answer: Response;
    try {
      answer = await slow.request("/tokenize", request);
    } catch {
      return;
    } finally {
      await slow.close();
    }
    expect(answer.status).toBe(408);
  });

  it("paths, methods and names", async () => {
    for (const path of [
      "/..%2f..%2fetc/passwd",
      "/v1/models/%E0%A4%A",
      "/v1/models/..",
      "//",
      "/%00",
    ])
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        const { status } = await app.request(path, {
          method,
          ...(method === "POST" && { body: "{}" }),
        });
        expect(
          status === 204 || (status >= 400 && status < 500),
          `${method} ${path}: ${status}`,
        ).toBe(true);
      }
    await stillAnswers();
  });

  it("200 requests of which many leave at some moment leak no slot", async () => {
    const below = random(5);
    const next = (): number => below(1000) / 1000;
    const running: Promise<unknown>[] = [];
    for (let i = 0; i < 200; i++) {
      const leaving = new AbortController();
      const stream = next() < 0.5;
      const body = {
        ...{ messages, stream, seed: i, model: ID },
        max_tokens: Math.floor(next() * 6),
      };
      const work = async (): Promise<void> => {
        const init = { method: "POST", body: JSON.stringify(body), signal: leaving.signal };
        const answer = await app.request("/v1/chat/completions", init);
        expect([200, 429, 400, 500, 503]).toContain(answer.status);
        if (next() < 0.5) await answer.body?.cancel();
        else await answer.text();
      };
      running.push(work().catch(() => {}));
      if (next() < 0.4) setTimeout(() => leaving.abort(), next() * 40);
      if (next() < 0.3) await new Promise((resolve) => setTimeout(resolve, next() * 15));
    }
    await Promise.all(running);
    for (let i = 0; i < 300 && app.host.loaded()[0].slots.busy > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await stillAnswers();
    expect(app.host.loaded()[0].slots.waiting).toBe(0);
  });
});
