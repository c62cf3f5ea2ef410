/** What clients of llama-server rely on, a line each; where this server differs, docs/server.md says so. */
import { afterAll, describe, expect, it } from "vitest";
import { entry, ID, type Json, loadTale, proxied, testApp } from "./app.ts";

const user = [{ role: "user", content: "What is 7 + 5?" }];
const chat = { messages: user, temperature: 0, max_tokens: 12 };
const text = { prompt: "Once upon a time", temperature: 0, n_predict: 8 };
const CHAT = "/v1/chat/completions";

const app = testApp();
/** Prompts are computed eight tokens at a time. */
const chunked = testApp([entry(ID, { options: { chunk: 8 } })]);
const keyed = testApp(
  undefined,
  {},
  { apiKeys: ["secret", "other"], slots: false, metrics: false },
);
afterAll(async () => {
  await app.close();
  await keyed.close();
  await chunked.close();
  await ranking.close();
});

const post = async (path: string, body: unknown): Promise<Json> =>
  (await app.post(path, body)).body;
const deltas = async (body: object): Promise<Json[]> =>
  (await app.events(CHAT, body)).filter(({ data }) => data !== "[DONE]").map(({ data }) => data);
const choices = async (body: object): Promise<Json[]> =>
  (await deltas(body)).flatMap((data) => data.choices);
const native = async (body: object): Promise<Json[]> =>
  (await app.events("/completion", body)).map(({ data }) => data);
const refused = async (path: string, body: unknown): Promise<Json> => {
  const answer = await app.post(path, body);
  return { status: answer.status, ...answer.body.error };
};
const contentOf = async (body: object): Promise<string> =>
  (await post(CHAT, body)).choices[0].message.content;

/** A model whose score of a document is its length. */
const ranking = testApp(undefined, {
  load: async (...args) => {
    const real = await loadTale(...args);
    const metadata = new Map<string, unknown>([
      ["general.architecture", "bert"],
      ["bert.pooling_type", 4],
      ["tokenizer.chat_template.rerank", "{query}#{document}"],
    ]);
    return {
      ...proxied(real),
      file: { ...real.file, metadata } as unknown as typeof real.file,
      embed: async (texts) =>
        texts.map((ids) => {
          const text = real.tokenizer.decode(ids as number[]);
          return { vector: Float32Array.of(text.split("#")[1].length), tokens: ids.length };
        }),
    };
  },
});
const documents = ["three words here", "one", "two words"];
const brief = { temperature: 0, max_tokens: 6, cache_prompt: false };
const fable = "Once upon a time there was a fox who had a red hat. ".repeat(3);
const long = [{ role: "user", content: "Tell me a story about a fox and a hen. ".repeat(4) }];
/** The reports of a streamed prompt's progress, and the last event. */
const progress = async (
  path: string,
  body: object,
): Promise<{ all: Json[]; text: string; timings: Json }> => {
  const events = await chunked.events(path, { ...body, return_progress: true });
  const data = events.map((event) => event.data).filter((one) => one !== "[DONE]");
  return {
    all: data.flatMap((one) => one.prompt_progress ?? []),
    text: data
      .map((one) => one.choices?.[0].delta?.content ?? one.choices?.[0].text ?? one.content ?? "")
      .join(""),
    timings: data.at(-1).timings,
  };
};
const rises = (all: readonly Json[]): boolean =>
  all.length > 4 &&
  all[0].processed === all[0].cache &&
  all.every((one, i) => i === 0 || one.processed > all[i - 1].processed) &&
  all.at(-1).processed === all[0].total;

/** A claim, and what must be true. */
const claims: Readonly<Record<string, readonly [string, () => Promise<boolean>][]>> = {
  "a chat": [
    ["its id contains cmpl", async () => (await post(CHAT, chat)).id.includes("cmpl")],
    [
      "its object is chat.completion",
      async () => (await post(CHAT, chat)).object === "chat.completion",
    ],
    [
      "the role is assistant",
      async () => (await post(CHAT, chat)).choices[0].message.role === "assistant",
    ],
    [
      "an end token gives stop",
      async () => (await post(CHAT, chat)).choices[0].finish_reason === "stop",
    ],
    [
      "max_tokens gives length",
      async () =>
        (await post(CHAT, { ...chat, max_tokens: 3 })).choices[0].finish_reason === "length",
    ],
    [
      "max_completion_tokens is max_tokens",
      async () =>
        (await post(CHAT, { ...chat, max_tokens: undefined, max_completion_tokens: 3 })).usage
          .completion_tokens === 3,
    ],
    [
      "n_predict is max_tokens",
      async () =>
        (await post(CHAT, { ...chat, max_tokens: undefined, n_predict: 2 })).usage
          .completion_tokens === 2,
    ],
    [
      "the name of the model comes back",
      async () => (await post(CHAT, { ...chat, model: "gpt-4" })).model === "gpt-4",
    ],
    ["without a name it is the model's own", async () => (await post(CHAT, chat)).model === "tale"],
    [
      "usage adds up",
      async () => {
        const { usage } = await post(CHAT, chat);
        return usage.total_tokens === usage.prompt_tokens + usage.completion_tokens;
      },
    ],
    [
      "cached tokens are told",
      async () => {
        await post(CHAT, chat);
        return (await post(CHAT, chat)).usage.prompt_tokens_details.cached_tokens > 0;
      },
    ],
    ["timings are told", async () => (await post(CHAT, chat)).timings.predicted_n > 0],
    [
      "timings and usage agree",
      async () => {
        const { usage, timings } = await post(CHAT, chat);
        return timings.prompt_n + timings.cache_n === usage.prompt_tokens;
      },
    ],
    [
      "cache_prompt false computes all",
      async () => {
        await post(CHAT, chat);
        return (await post(CHAT, { ...chat, cache_prompt: false })).timings.cache_n === 0;
      },
    ],
    [
      "the cache does not change the text",
      async () => (await contentOf({ ...chat, cache_prompt: false })) === (await contentOf(chat)),
    ],
    [
      "n 2 gives two choices",
      async () => (await post(CHAT, { ...chat, n: 2 })).choices.length === 2,
    ],
    [
      "choices are numbered",
      async () =>
        (await post(CHAT, { ...chat, n: 3 })).choices.every(
          (one: Json, i: number) => one.index === i,
        ),
    ],
    [
      "greedy choices are the same",
      async () => {
        const [a, b] = (await post(CHAT, { ...chat, n: 2 })).choices;
        return a.message.content === b.message.content;
      },
    ],
    [
      "a seed's text is the same again",
      async () => {
        const seeded = { messages: user, max_tokens: 8, seed: 7, temperature: 1.5 };
        const first = await contentOf(seeded);
        return first === (await contentOf(seeded));
      },
    ],
    [
      "another seed's text is another",
      async () => {
        const all = await Promise.all(
          [1, 2, 3, 4].map((seed) =>
            contentOf({
              messages: [{ role: "user", content: "Tell me a story" }],
              max_tokens: 12,
              seed,
              temperature: 2,
            }),
          ),
        );
        return new Set(all).size > 1;
      },
    ],
    [
      "a stop text ends it and is not in it",
      async () => {
        const content = await contentOf({ ...chat, stop: "=" });
        return content === "7 + 5 ";
      },
    ],
    ["stop may be a list", async () => (await contentOf({ ...chat, stop: ["zzz", "+"] })) === "7 "],
    [
      "an empty list of stops is none",
      async () => (await contentOf({ ...chat, stop: [] })) === "7 + 5 = 12.",
    ],
    [
      "null fields are left out",
      async () =>
        (await contentOf({ ...chat, stop: null, seed: null, tools: null, n: null })) ===
        "7 + 5 = 12.",
    ],
    [
      "parts of text are joined",
      async () =>
        (await contentOf({
          ...chat,
          messages: [{ role: "user", content: [{ type: "text", text: "What is 7 + 5?" }] }],
        })) === "7 + 5 = 12.",
    ],
    [
      "an assistant's last message is continued",
      async () =>
        (
          await contentOf({
            ...chat,
            messages: [...user, { role: "assistant", content: "7 + 5 =" }],
          })
        ).startsWith(" 12"),
    ],
    [
      "logit_bias false forbids a token",
      async () => {
        const { tokens } = await post("/tokenize", { content: "7" });
        return !(await contentOf({ ...chat, logit_bias: [[tokens[0], false]] })).startsWith("7");
      },
    ],
    [
      "logit_bias takes an object",
      async () => {
        const { tokens } = await post("/tokenize", { content: "7" });
        return !(await contentOf({ ...chat, logit_bias: { [tokens[0]]: -100 } })).startsWith("7");
      },
    ],
    [
      "logit_bias takes texts",
      async () => !(await contentOf({ ...chat, logit_bias: [["7", -100]] })).startsWith("7"),
    ],
    [
      "unknown fields are no error",
      async () => (await app.post(CHAT, { ...chat, no_such_field: 1 })).status === 200,
    ],
    [
      "the path without /v1 is the same",
      async () =>
        (await post("/chat/completions", chat)).choices[0].message.content === "7 + 5 = 12.",
    ],
    [
      "tokens are counted without generating",
      async () => {
        const counted = await post(`${CHAT}/input_tokens`, chat);
        return (
          counted.object === "response.input_tokens" &&
          counted.input_tokens === (await post(CHAT, chat)).usage.prompt_tokens
        );
      },
    ],
  ],
  "log-probabilities": [
    [
      "their tokens together are the text",
      async () => {
        const [one] = (await post(CHAT, { ...chat, logprobs: true })).choices;
        return (
          one.logprobs.content.map(({ token }: Json) => token).join("") === one.message.content
        );
      },
    ],
    [
      "each has its bytes",
      async () => {
        const [one] = (await post(CHAT, { ...chat, logprobs: true })).choices;
        return one.logprobs.content.every(
          ({ token, bytes }: Json) => new TextDecoder().decode(Uint8Array.from(bytes)) === token,
        );
      },
    ],
    [
      "each has as many others as were asked for",
      async () => {
        const [one] = (await post(CHAT, { ...chat, logprobs: true, top_logprobs: 4 })).choices;
        return one.logprobs.content.every((each: Json) => each.top_logprobs.length === 4);
      },
    ],
    [
      "greedy takes the most likely",
      async () => {
        const [one] = (await post(CHAT, { ...chat, logprobs: true, top_logprobs: 1 })).choices;
        return one.logprobs.content.every(
          (each: Json) => each.top_logprobs[0].token === each.token,
        );
      },
    ],
    [
      "they are at most 0",
      async () => {
        const [one] = (await post(CHAT, { ...chat, logprobs: true })).choices;
        return one.logprobs.content.every((each: Json) => each.logprob <= 0);
      },
    ],
    [
      "without them the field is null",
      async () => (await post(CHAT, chat)).choices[0].logprobs === null,
    ],
    [
      "streamed ones are the same",
      async () => {
        const [one] = (await post(CHAT, { ...chat, logprobs: true })).choices;
        const streamed = (await choices({ ...chat, logprobs: true })).flatMap(
          ({ logprobs }) => logprobs?.content ?? [],
        );
        return (
          JSON.stringify(streamed.map(({ token }: Json) => token)) ===
          JSON.stringify(one.logprobs.content.map(({ token }: Json) => token))
        );
      },
    ],
    [
      "top_logprobs without logprobs is refused",
      async () => (await refused(CHAT, { ...chat, top_logprobs: 2 })).param === "top_logprobs",
    ],
    [
      "completions have the old form",
      async () => {
        const [one] = (await post("/v1/completions", { ...text, logprobs: 2 })).choices;
        return (
          one.logprobs.tokens.length === one.logprobs.token_logprobs.length &&
          Object.keys(one.logprobs.top_logprobs[0]).length === 2
        );
      },
    ],
    [
      "n_probs gives completion_probabilities",
      async () =>
        (await post("/completion", { ...text, n_probs: 3 })).completion_probabilities.every(
          (one: Json) => one.top_logprobs.length === 3,
        ),
    ],
  ],
  "a streamed chat": [
    [
      "begins with the role and content null",
      async () => {
        const [first] = await choices(chat);
        return first.delta.role === "assistant" && first.delta.content === null;
      },
    ],
    ["its first chunk has no timings", async () => (await deltas(chat))[0].timings === undefined],
    [
      "later chunks have no role",
      async () => (await choices(chat)).slice(1).every(({ delta }) => delta.role === undefined),
    ],
    [
      "its last choice has a reason and no content",
      async () => {
        const last = (await choices(chat)).at(-1);
        return last.finish_reason === "stop" && last.delta.content === undefined;
      },
    ],
    [
      "only the last has a reason",
      async () =>
        (await choices(chat)).slice(0, -1).every(({ finish_reason }) => finish_reason === null),
    ],
    [
      "all chunks have one id",
      async () => new Set((await deltas(chat)).map(({ id }) => id)).size === 1,
    ],
    [
      "all chunks have one time",
      async () => new Set((await deltas(chat)).map(({ created }) => created)).size === 1,
    ],
    ["the last chunk has timings", async () => (await deltas(chat)).at(-1).timings.predicted_n > 0],
    [
      "its text is that without streaming",
      async () =>
        (await choices(chat)).map(({ delta }) => delta.content ?? "").join("") ===
        (await contentOf(chat)),
    ],
    ["ends with [DONE]", async () => (await app.events(CHAT, chat)).at(-1)!.data === "[DONE]"],
    [
      "usage comes with no choices when it is asked for",
      async () => {
        const last = (await deltas({ ...chat, stream_options: { include_usage: true } })).at(-1);
        return last.choices.length === 0 && last.usage.total_tokens > 0;
      },
    ],
    [
      "no usage otherwise",
      async () => (await deltas(chat)).every(({ usage }) => usage === undefined),
    ],
    [
      "n 2 streams both",
      async () => new Set((await choices({ ...chat, n: 2 })).map(({ index }) => index)).size === 2,
    ],
    [
      "is text/event-stream",
      async () => {
        const response = await app.request(CHAT, {
          method: "POST",
          body: JSON.stringify({ ...chat, stream: true }),
        });
        const type = response.headers.get("content-type");
        await response.body?.cancel();
        return type === "text/event-stream";
      },
    ],
    [
      "a wrong field is a status, not a stream",
      async () =>
        (await app.post(CHAT, { ...chat, stream: true, temperature: "x" })).status === 400,
    ],
    [
      "a prompt too long is a status, not a stream",
      async () =>
        (
          await app.post(CHAT, {
            ...chat,
            stream: true,
            messages: [{ role: "user", content: "a ".repeat(2000) }],
          })
        ).status === 400,
    ],
  ],
  errors: [
    [
      "a prompt too long has its own type",
      async () =>
        (await refused(CHAT, { messages: [{ role: "user", content: "a ".repeat(2000) }] })).type ===
        "exceed_context_size_error",
    ],
    [
      "and tells both lengths",
      async () => {
        const error = await refused("/completion", { prompt: "a ".repeat(2000) });
        return error.n_prompt_tokens > error.n_ctx && error.n_ctx === 512;
      },
    ],
    ["a missing field is named", async () => (await refused(CHAT, {})).param === "messages"],
    [
      "a wrong field is named",
      async () => (await refused(CHAT, { ...chat, top_p: 3 })).param === "top_p",
    ],
    [
      "a field in a message is named",
      async () =>
        (await refused(CHAT, { messages: [{ role: "user", content: 7 }] })).param ===
        "messages[0].content",
    ],
    [
      "a role that there is not is named",
      async () =>
        (await refused(CHAT, { messages: [{ role: "robot", content: "x" }] })).param ===
        "messages[0].role",
    ],
    ["no messages is an error", async () => (await refused(CHAT, { messages: [] })).status === 400],
    ["JSON that is none is 400", async () => (await refused(CHAT, "{nope")).status === 400],
    ["a list in place of an object is 400", async () => (await refused(CHAT, "[]")).status === 400],
    [
      "two assistant messages at the end are 400",
      async () =>
        (
          await refused(CHAT, {
            messages: [
              ...user,
              { role: "assistant", content: "a" },
              { role: "assistant", content: "b" },
            ],
          })
        ).status === 400,
    ],
    [
      "images are 400 and say why",
      async () =>
        (
          await refused(CHAT, {
            messages: [
              { role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] },
            ],
          })
        ).message.includes("images"),
    ],
    ["a path that there is not is 404", async () => (await refused("/nope", {})).status === 404],
    ["a method that there is not is 405", async () => (await app.request(CHAT)).status === 405],
    [
      "native errors have a number as code",
      async () => (await refused("/completion", {})).code === 400,
    ],
    [
      "audio is 501",
      async () => (await refused("/v1/audio/transcriptions", {})).type === "not_supported_error",
    ],
    [
      "embeddings of a language model are 501",
      async () => (await refused("/v1/embeddings", { input: "x" })).status === 501,
    ],
    [
      "an unknown sampler is named",
      async () =>
        (await refused("/completion", { ...text, samplers: ["magic"] })).param === "samplers",
    ],
    [
      "a token id that there is not is refused",
      async () => (await refused("/completion", { prompt: [1, 999999] })).status === 400,
    ],
    [
      "a body too large is 413",
      async () => (await app.post(CHAT, `{"x":"${"a".repeat(2 << 20)}"}`)).status === 413,
    ],
    [
      "a body that is no UTF-8 is 400",
      async () =>
        (await app.request(CHAT, { method: "POST", body: Uint8Array.of(0x7b, 0xff, 0x7d) }))
          .status === 400,
    ],
  ],
  "a completion": [
    [
      "OpenAI's has choices",
      async () => (await post("/v1/completions", text)).choices[0].text.length > 0,
    ],
    [
      "OpenAI's object is text_completion",
      async () => (await post("/v1/completions", text)).object === "text_completion",
    ],
    [
      "OpenAI's stops at 16 tokens by itself",
      async () =>
        (await post("/v1/completions", { prompt: "Once upon a time", temperature: 0 })).usage
          .completion_tokens === 16,
    ],
    [
      "echo puts the prompt before it",
      async () =>
        (await post("/v1/completions", { ...text, echo: true })).choices[0].text.startsWith(
          "Once upon a time",
        ),
    ],
    [
      "a list of prompts gives a choice each",
      async () =>
        (await post("/v1/completions", { ...text, prompt: ["Once", "upon"] })).choices.length === 2,
    ],
    [
      "the native one has content",
      async () => (await post("/completion", text)).content.length > 0,
    ],
    [
      "/completions is the same",
      async () =>
        (await post("/completions", text)).content === (await post("/completion", text)).content,
    ],
    [
      "text and its ids give the same",
      async () => {
        const { tokens } = await post("/tokenize", { content: "Once upon a time" });
        return (
          (await post("/completion", { ...text, prompt: tokens })).content ===
          (await post("/completion", text)).content
        );
      },
    ],
    [
      "ids and texts mix",
      async () => {
        const { tokens } = await post("/tokenize", { content: "Once upon" });
        return (
          (await post("/completion", { ...text, prompt: [...tokens, " a time"] })).content ===
          (await post("/completion", text)).content
        );
      },
    ],
    [
      "a list of prompts gives a list",
      async () => {
        const all = await post("/completion", { ...text, prompt: ["Once", "upon"] });
        return Array.isArray(all) && all.length === 2 && all[1].index === 1;
      },
    ],
    ["stop_type limit", async () => (await post("/completion", text)).stop_type === "limit"],
    [
      "stop_type word with the word",
      async () => {
        const one = await post("/completion", { ...text, stop: [","] });
        return one.stop_type === "word" && one.stopping_word === "," && !one.content.includes(",");
      },
    ],
    [
      "stop_type eos",
      async () =>
        (
          await post("/completion", {
            prompt: "<|im_start|>user\nWhat is 7 + 5?<|im_end|>\n<|im_start|>assistant\n",
            temperature: 0,
          })
        ).stop_type === "eos",
    ],
    [
      "n_predict 0 generates nothing",
      async () => {
        const one = await post("/completion", { ...text, n_predict: 0 });
        return one.content === "" && one.tokens_predicted === 0;
      },
    ],
    [
      "n_predict 0 fills the cache",
      async () => {
        const prompt = "The fox and the hen went out to";
        await post("/completion", { prompt, n_predict: 0, id_slot: 2 });
        return (
          (await post("/completion", { prompt, n_predict: 1, temperature: 0 })).timings.cache_n > 0
        );
      },
    ],
    [
      "it counts tokens",
      async () => {
        const one = await post("/completion", text);
        return one.tokens_predicted === 8 && one.tokens_evaluated > 0;
      },
    ],
    [
      "it shows its settings",
      async () =>
        (await post("/completion", { ...text, top_k: 3 })).generation_settings.top_k === 3,
    ],
    [
      "it shows its prompt",
      async () => (await post("/completion", text)).prompt === "Once upon a time",
    ],
    [
      "return_tokens gives ids that read back",
      async () => {
        const one = await post("/completion", { ...text, return_tokens: true });
        return (await post("/detokenize", { tokens: one.tokens })).content === one.content;
      },
    ],
    [
      "without it there are none",
      async () => (await post("/completion", text)).tokens.length === 0,
    ],
    [
      "response_fields picks",
      async () =>
        Object.keys(
          await post("/completion", {
            ...text,
            response_fields: ["content", "timings/predicted_n"],
          }),
        )
          .sort()
          .join() === "content,predicted_n",
    ],
    [
      "id_slot chooses the slot",
      async () => (await post("/completion", { ...text, id_slot: 3 })).id_slot === 3,
    ],
    [
      "has_new_line is told",
      async () => (await post("/completion", { ...text, prompt: "a" })).has_new_line === false,
    ],
    [
      "streamed text is that without streaming",
      async () =>
        (await native(text)).map(({ content }) => content).join("") ===
        (await post("/completion", text)).content,
    ],
    [
      "only the last event of a stream stops",
      async () => {
        const all = await native(text);
        return all.slice(0, -1).every(({ stop }) => stop === false) && all.at(-1).stop === true;
      },
    ],
    [
      "the last event has the statistics",
      async () => {
        const last = (await native(text)).at(-1);
        return last.timings.predicted_n === 8 && last.stop_type === "limit";
      },
    ],
    [
      "events have tokens",
      async () => (await native(text)).slice(0, -1).flatMap(({ tokens }) => tokens).length === 8,
    ],
    [
      "n_cmpl gives several",
      async () => (await post("/completion", { ...text, n_cmpl: 2 })).length === 2,
    ],
  ],
  constraints: [
    [
      "json_object gives JSON",
      async () => {
        const json = { ...chat, response_format: { type: "json_object" }, max_tokens: 60 };
        const { message, finish_reason } = (await post(CHAT, json)).choices[0];
        return finish_reason === "length" || typeof JSON.parse(message.content) === "object";
      },
    ],
    [
      "json_schema gives what the schema says",
      async () => {
        const schema = {
          type: "object",
          properties: { sum: { enum: [12, 13] } },
          required: ["sum"],
          additionalProperties: false,
        };
        const format = { type: "json_schema", json_schema: { name: "sum", schema } };
        const { sum } = JSON.parse(
          await contentOf({ ...chat, max_tokens: 40, response_format: format }),
        );
        return sum === 12 || sum === 13;
      },
    ],
    [
      "responses take it as text.format",
      async () => {
        const format = { type: "json_schema", name: "yes", schema: { enum: ["yes", "no"] } };
        const one = await post("/v1/responses", { input: "7?", temperature: 0, text: { format } });
        return /^"(yes|no)"$/.test(one.output[0].content[0].text);
      },
    ],
    [
      "a grammar is followed",
      async () => /^(yes|no)$/.test(await contentOf({ ...chat, grammar: 'root ::= "yes" | "no"' })),
    ],
    [
      "json_schema is a field of completions",
      async () =>
        /^(true|false)$/.test(
          (await post("/completion", { ...text, json_schema: { type: "boolean" } })).content,
        ),
    ],
    [
      "streamed it is the same",
      async () => {
        const body = { ...chat, grammar: 'root ::= "yes" | "no"' };
        const streamed = (await choices(body)).map(({ delta }) => delta.content ?? "").join("");
        return streamed === (await contentOf(body));
      },
    ],
    [
      "a grammar that cannot be read is 400, streamed too",
      async () => {
        const wrong = { ...chat, grammar: "root ::= (" };
        const both = [
          await app.post(CHAT, wrong),
          await app.post(CHAT, { ...wrong, stream: true }),
        ];
        return both.every(
          ({ status, body }) => status === 400 && body.error.message.includes("grammar"),
        );
      },
    ],
    [
      "a schema that cannot be enforced is 400 and never passed over",
      async () => {
        const schema = { type: "string", format: "no-such-format", $ref: "https://example.com/x" };
        const error = await refused(CHAT, {
          ...chat,
          response_format: { type: "json_schema", json_schema: { schema } },
        });
        return error.status === 400 && /\$ref|format/.test(error.message);
      },
    ],
    [
      "a format that there is not is 400",
      async () =>
        (await refused(CHAT, { ...chat, response_format: { type: "xml" } })).param ===
        "response_format.type",
    ],
    [
      "two constraints at once are refused",
      async () =>
        (await refused(CHAT, { ...chat, grammar: 'root ::= "a"', json_schema: {} })).status === 400,
    ],
  ],
  text: [
    [
      "tokenize and detokenize are inverse",
      async () => {
        const { tokens } = await post("/tokenize", { content: "hello wörld" });
        return (await post("/detokenize", { tokens })).content === "hello wörld";
      },
    ],
    [
      "tokenize without content gives none",
      async () => (await post("/tokenize", {})).tokens.length === 0,
    ],
    [
      "pieces are texts, or bytes where they are no text",
      async () => {
        const { tokens } = await post("/tokenize", { content: "wörld", with_pieces: true });
        return (
          tokens.some(({ piece }: Json) => Array.isArray(piece)) &&
          tokens.some(({ piece }: Json) => typeof piece === "string")
        );
      },
    ],
    [
      "special tokens are read",
      async () => (await post("/tokenize", { content: "<|im_end|>" })).tokens.length === 1,
    ],
    [
      "unless parse_special is false",
      async () =>
        (await post("/tokenize", { content: "<|im_end|>", parse_special: false })).tokens.length >
        1,
    ],
    [
      "a conversation is shown as it is read",
      async () =>
        (await post("/apply-template", { messages: user })).prompt.endsWith(
          "<|im_start|>assistant\n",
        ),
    ],
    [
      "add_generation_prompt false",
      async () =>
        !(
          await post("/apply-template", { messages: user, add_generation_prompt: false })
        ).prompt.endsWith("assistant\n"),
    ],
  ],
  state: [
    ["health is ok", async () => (await app.get("/health")).body.status === "ok"],
    ["props tells the slots", async () => (await app.get("/props")).body.total_slots === 4],
    [
      "props tells the context",
      async () => (await app.get("/props")).body.default_generation_settings.n_ctx === 512,
    ],
    [
      "props tells the template",
      async () => (await app.get("/props")).body.chat_template.includes("im_start"),
    ],
    [
      "slots are listed without prompts",
      async () => {
        const { body } = await app.get("/slots");
        return (
          body.length === 4 &&
          body.every((slot: Json) => slot.prompt === undefined && slot.is_processing === false)
        );
      },
    ],
    [
      "no slots is 501",
      async () =>
        (await keyed.request("/slots", { headers: { "x-api-key": "secret" } })).status === 501,
    ],
    [
      "metrics have llama-server's names",
      async () => {
        await post("/completion", text);
        const all = await (await app.request("/metrics")).text();
        return [
          "prompt_tokens_total",
          "tokens_predicted_total",
          "requests_processing",
          "requests_deferred",
        ].every((name) => all.includes(`llamacpp:${name} `));
      },
    ],
    [
      "and histograms of their own",
      async () =>
        (await (await app.request("/metrics")).text()).includes(
          'webgguf:time_to_first_token_seconds_bucket{le="+Inf"}',
        ),
    ],
    [
      "models are listed with their aliases",
      async () => {
        const [one] = (await app.get("/v1/models")).body.data;
        return one.id === "tale" && one.aliases[0] === "other" && one.status.value === "loaded";
      },
    ],
    ["no adapters", async () => JSON.stringify((await app.get("/lora-adapters")).body) === "[]"],
  ],
  keys: [
    ["no key is 401", async () => (await keyed.post(CHAT, chat)).status === 401],
    [
      "a wrong key is 401",
      async () =>
        (await keyed.post(CHAT, chat, { headers: { authorization: "Bearer secre" } })).body.error
          .type === "authentication_error",
    ],
    [
      "Bearer is taken",
      async () =>
        (await keyed.post(CHAT, chat, { headers: { authorization: "Bearer other" } })).status ===
        200,
    ],
    [
      "x-api-key is taken",
      async () =>
        (
          await keyed.post(
            "/v1/messages",
            { model: "m", max_tokens: 1, messages: user },
            { headers: { "x-api-key": "secret" } },
          )
        ).status === 200,
    ],
    ["health is public", async () => (await keyed.get("/health")).status === 200],
    ["models are public", async () => (await keyed.get("/v1/models")).status === 200],
  ],
  pages: [
    [
      "a page of this machine may call",
      async () =>
        (
          await app.request("/v1/models", { headers: { origin: "http://localhost:5173" } })
        ).headers.get("access-control-allow-origin") === "http://localhost:5173",
    ],
    [
      "a foreign one may not",
      async () =>
        (await app.request("/v1/models", { headers: { origin: "https://example.com" } })).status ===
        403,
    ],
    [
      "what comes before a request is answered",
      async () =>
        (await app.request(CHAT, { method: "OPTIONS", headers: { origin: "http://127.0.0.1:1" } }))
          .status === 204,
    ],
    [
      "and refused to a foreign one",
      async () =>
        (await app.request(CHAT, { method: "OPTIONS", headers: { origin: "https://example.com" } }))
          .status === 403,
    ],
  ],
  "Anthropic's messages": [
    [
      "have a message with blocks",
      async () => {
        const one = await post("/v1/messages", {
          model: "m",
          max_tokens: 12,
          temperature: 0,
          messages: user,
        });
        return (
          one.id.startsWith("msg_") &&
          one.type === "message" &&
          one.content[0].text === "7 + 5 = 12."
        );
      },
    ],
    [
      "end_turn",
      async () =>
        (await post("/v1/messages", { model: "m", max_tokens: 12, temperature: 0, messages: user }))
          .stop_reason === "end_turn",
    ],
    [
      "max_tokens",
      async () =>
        (await post("/v1/messages", { model: "m", max_tokens: 2, messages: user })).stop_reason ===
        "max_tokens",
    ],
    [
      "stop_sequence",
      async () => {
        const one = await post("/v1/messages", {
          model: "m",
          max_tokens: 12,
          temperature: 0,
          stop_sequences: ["="],
          messages: user,
        });
        return one.stop_reason === "stop_sequence" && one.stop_sequence === "=";
      },
    ],
    [
      "never have timings",
      async () =>
        (await post("/v1/messages", { model: "m", max_tokens: 1, messages: user })).timings ===
        undefined,
    ],
    [
      "tell what was cached",
      async () => {
        const body = { model: "m", max_tokens: 1, messages: user };
        await post("/v1/messages", body);
        return (await post("/v1/messages", body)).usage.cache_read_input_tokens > 0;
      },
    ],
    [
      "tokens are counted, and nothing else is told",
      async () =>
        Object.keys(
          await post("/v1/messages/count_tokens", { model: "m", messages: user }),
        ).join() === "input_tokens",
    ],
    [
      "system may be blocks",
      async () =>
        (
          await app.post("/v1/messages", {
            model: "m",
            max_tokens: 1,
            system: [{ type: "text", text: "Hi" }],
            messages: user,
          })
        ).status === 200,
    ],
    [
      "the billing block does not count",
      async () => {
        const count = (system: object[]) =>
          post("/v1/messages/count_tokens", { model: "m", system, messages: user });
        const block = { type: "text", text: "Hi" };
        return (
          (await count([{ type: "text", text: "x-anthropic-billing-header: 123" }, block]))
            .input_tokens === (await count([block])).input_tokens
        );
      },
    ],
    [
      "results of tools are taken beside text",
      async () =>
        (
          await app.post("/v1/messages", {
            model: "m",
            max_tokens: 1,
            messages: [
              ...user,
              { role: "assistant", content: [{ type: "tool_use", id: "t", name: "f", input: {} }] },
              {
                role: "user",
                content: [
                  { type: "tool_result", tool_use_id: "t", content: "12" },
                  { type: "text", text: "and?" },
                ],
              },
            ],
          })
        ).status === 200,
    ],
    [
      "errors have its form",
      async () =>
        (await app.post("/v1/messages", { model: "m", max_tokens: 1 })).body.type === "error",
    ],
    [
      "events begin and end",
      async () => {
        const all = await app.events("/v1/messages", { model: "m", max_tokens: 3, messages: user });
        return (
          all[0].event === "message_start" &&
          all.at(-1)!.event === "message_stop" &&
          all[1].data.index === 0
        );
      },
    ],
    [
      "events give the text",
      async () => {
        const all = await app.events("/v1/messages", {
          model: "m",
          max_tokens: 12,
          temperature: 0,
          messages: user,
        });
        return all.map(({ data }) => data.delta?.text ?? "").join("") === "7 + 5 = 12.";
      },
    ],
  ],
  "deep bodies": [
    [
      "are 400, in whatever field",
      async () => {
        const deep = "[".repeat(20_000) + "]".repeat(20_000);
        const all = [deep, `{"messages":${deep}}`, `{"messages":[],"stop":${deep}}`];
        const statuses = await Promise.all(
          all.map(async (body) => (await app.post(CHAT, body)).status),
        );
        return statuses.every((status) => status === 400);
      },
    ],
    [
      "are told from texts with brackets",
      async () => {
        const content = `\\"${"[{".repeat(2000)}`;
        return (await app.post("/tokenize", { content })).status === 200;
      },
    ],
  ],
  "/rerank": [
    [
      "gives documents by their scores, the best first",
      async () => {
        const { body } = await ranking.post("/rerank", { query: "q", documents, model: "any" });
        return (
          body.object === "list" &&
          body.model === "any" &&
          body.usage.total_tokens > 3 &&
          JSON.stringify(body.results) ===
            JSON.stringify([
              { index: 0, relevance_score: 16 },
              { index: 2, relevance_score: 9 },
              { index: 1, relevance_score: 3 },
            ])
        );
      },
    ],
    [
      "has four names",
      async () => {
        const all = ["/rerank", "/reranking", "/v1/rerank", "/v1/reranking"].map((path) =>
          ranking.post(path, { query: "q", documents }),
        );
        return (await Promise.all(all)).every(({ status }) => status === 200);
      },
    ],
    [
      "gives top_n of them",
      async () =>
        (await ranking.post("/rerank", { query: "q", documents, top_n: 2 })).body.results.length ===
        2,
    ],
    [
      "answers texts in the form of text-embeddings-inference",
      async () => {
        const { body } = await ranking.post("/rerank", {
          ...{ query: "q", texts: documents, return_text: true, top_n: 1 },
        });
        return JSON.stringify(body) === '[{"index":0,"score":16,"text":"three words here"}]';
      },
    ],
    [
      "without a query or documents is 400 that names it",
      async () => {
        const params = await Promise.all(
          [
            { documents },
            { query: "q" },
            { query: "q", documents: [] },
            { query: 1, documents },
          ].map(async (body) => (await ranking.post("/rerank", body)).body.error.param),
        );
        return params.join() === "query,documents,documents,query";
      },
    ],
    [
      "by a model that gives no scores is 501",
      async () =>
        (await refused("/rerank", { query: "q", documents })).type === "not_supported_error",
    ],
  ],
  return_progress: [
    [
      "of a chat begins with what is cached, rises, and ends with the whole prompt",
      async () => rises((await progress(CHAT, { messages: long, ...brief })).all),
    ],
    [
      "of a completion too",
      async () => rises((await progress("/v1/completions", { prompt: fable, ...brief })).all),
    ],
    [
      "of llama-server's completion too",
      async () => rises((await progress("/completion", { prompt: fable, ...brief })).all),
    ],
    [
      "tells what is cached the second time",
      async () => {
        const ask = { messages: long, ...brief, cache_prompt: true };
        await progress(CHAT, ask);
        const { all } = await progress(CHAT, ask);
        return all[0].cache === all[0].total - 1 && all.at(-1).processed === all[0].total;
      },
    ],
    [
      "changes neither text nor timings",
      async () => {
        const asked = await progress(CHAT, { messages: long, ...brief });
        const { body } = await chunked.post(CHAT, { messages: long, ...brief });
        return (
          asked.text === body.choices[0].message.content &&
          asked.timings.prompt_n === body.timings.prompt_n &&
          asked.timings.cache_n === 0
        );
      },
    ],
    [
      "stands beside the deltas, the role first",
      async () => {
        const events = await chunked.events(CHAT, { ...chat, return_progress: true });
        return (
          events[0].data.choices[0].delta.role === "assistant" &&
          events[1].data.prompt_progress.total > 0 &&
          Object.keys(events[1].data.choices[0].delta).length === 0
        );
      },
    ],
  ],
  "OpenAI's responses": [
    [
      "ids begin with resp_ and msg_",
      async () => {
        const one = await post("/v1/responses", { input: "What is 7 + 5?", temperature: 0 });
        return one.id.startsWith("resp_") && one.output[0].id.startsWith("msg_");
      },
    ],
    [
      "deltas together are the text",
      async () => {
        const all = await app.events("/v1/responses", { input: "What is 7 + 5?", temperature: 0 });
        const text = all
          .map(({ data }) => (data.type === "response.output_text.delta" ? data.delta : ""))
          .join("");
        return text === all.at(-1)!.data.response.output[0].content[0].text;
      },
    ],
    [
      "events of a part have one item",
      async () => {
        const all = await app.events("/v1/responses", { input: "What is 7 + 5?", temperature: 0 });
        return new Set(all.flatMap(({ data }) => data.item_id ?? [])).size === 1;
      },
    ],
    [
      "events are numbered",
      async () =>
        (await app.events("/v1/responses", { input: "What?", max_output_tokens: 2 })).every(
          ({ data }, i) => data.sequence_number === i,
        ),
    ],
    [
      "what needs a store is 400",
      async () =>
        (await refused("/v1/responses", { input: "x", previous_response_id: "r" })).param ===
        "previous_response_id",
    ],
    [
      "a conversation is taken as items",
      async () =>
        (
          await app.post("/v1/responses", {
            max_output_tokens: 1,
            input: [
              { role: "user", content: [{ type: "input_text", text: "7?" }] },
              { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
              { type: "function_call_output", call_id: "c", output: "12" },
              { role: "user", content: "and?" },
            ],
          })
        ).status === 200,
    ],
    [
      "too few tokens is incomplete",
      async () =>
        (await post("/v1/responses", { input: "What is 7 + 5?", max_output_tokens: 2 })).status ===
        "incomplete",
    ],
    [
      "tokens are counted",
      async () =>
        (await post("/v1/responses/input_tokens", { input: "What is 7 + 5?" })).input_tokens > 0,
    ],
  ],
};

/** A page may not say itself which origin it is of. */
const saysOrigin = new Request("http://localhost", { headers: { origin: "x" } }).headers.has(
  "origin",
);

for (const [about, list] of Object.entries(claims))
  describe(about, () => {
    if (about === "pages") it("are told apart by their origin", () => expect(list).toHaveLength(4));
    for (const [claim, holds] of about === "pages" && !saysOrigin ? [] : list)
      it(claim, async () => {
        expect(await holds()).toBe(true);
      });
  });

it("there are at least 120 of them", () => {
  expect(Object.values(claims).flat().length).toBeGreaterThanOrEqual(120);
});
