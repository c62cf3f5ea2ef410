/** Many at once: nobody's text depends on the others, who leaves stops the work and harms nobody. */
import { afterAll, describe, expect, it } from "vitest";
import { entry, eventsOf, ID, type Json, testApp } from "./app.ts";

const CHAT = "/v1/chat/completions";
const stories = ["a fox", "a hen", "the sea", "two hats", "an owl", "rain", "a boat", "bread"];
const body = (about: string, more: object = {}): object => ({
  messages: [{ role: "user", content: `Tell me a story about ${about}.` }],
  max_tokens: 24,
  seed: 11,
  temperature: 1,
  ...more,
});
const said = (events: { data: Json }[]): string =>
  events.map(({ data }) => data.choices?.[0]?.delta.content ?? "").join("");

describe("streams at once", () => {
  const app = testApp();
  const narrow = testApp([entry(ID, { parallel: 1 })], { queue: 2 });
  afterAll(async () => {
    await app.close();
    await narrow.close();
  });

  /** Starts a stream and reads its first events. */
  const begin = async (tested: typeof app, about: string) => {
    const response = await tested.request(CHAT, {
      method: "POST",
      body: JSON.stringify(body(about, { stream: true, max_tokens: -1, ignore_eos: true })),
    });
    const reader = response.body!.getReader();
    await reader.read();
    return reader;
  };
  const idle = async (tested: typeof app): Promise<void> => {
    for (let i = 0; i < 500; i++) {
      const [served] = tested.host.loaded();
      if (served.slots.busy === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("A slot stays busy");
  };

  it("each gives exactly the text that it gives alone", async () => {
    const alone: string[] = [];
    for (const about of stories)
      alone.push(said(await app.events(CHAT, body(about, { cache_prompt: false }))));
    const together = await Promise.all(stories.map((about) => app.events(CHAT, body(about))));
    expect(together.map(said)).toEqual(alone);
    expect(new Set(alone).size).toBeGreaterThan(4);
  });

  it("a client that leaves a stream stops its work, and its slot answers as before", async () => {
    const before = said(await app.events(CHAT, body("a fox")));
    const readers = await Promise.all(stories.slice(0, 4).map((about) => begin(app, about)));
    expect(app.host.loaded()[0].slots.busy).toBe(4);
    await Promise.all(readers.map((reader) => reader.cancel()));
    await idle(app);
    expect(said(await app.events(CHAT, body("a fox")))).toBe(before);
  });

  it("a client that leaves before its whole answer stops its work", async () => {
    const leaving = new AbortController();
    const answer = app.request(CHAT, {
      method: "POST",
      body: JSON.stringify(body("a hen", { max_tokens: -1, ignore_eos: true })),
      signal: leaving.signal,
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    leaving.abort();
    await answer.catch(() => {});
    await idle(app);
  });

  it("who waits is answered in order; who leaves the queue harms nobody; too many are 429", async () => {
    await narrow.post(CHAT, body("a fox", { max_tokens: 1 }));
    const running = await begin(narrow, "a fox");
    const order: string[] = [];
    const leaving = new AbortController();
    const first = narrow
      .request(CHAT, {
        method: "POST",
        body: JSON.stringify(body("left")),
        signal: leaving.signal,
      })
      .then(({ status }) => status);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = narrow.events(CHAT, body("a hen")).then((events) => {
      order.push("second");
      return said(events);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const refused = await narrow.request(CHAT, {
      method: "POST",
      body: JSON.stringify(body("too many")),
    });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    leaving.abort();
    expect(await first).toBeGreaterThanOrEqual(400);
    const third = narrow.events(CHAT, body("rain")).then((events) => {
      order.push("third");
      return said(events);
    });
    await running.cancel();
    const texts = await Promise.all([second, third]);
    expect(order).toEqual(["second", "third"]);
    expect(texts).toEqual([
      said(await app.events(CHAT, body("a hen"))),
      said(await app.events(CHAT, body("rain"))),
    ]);
  });

  it("a stream that says nothing is kept open by pings", async () => {
    const pinging = testApp([entry(ID, { parallel: 1 })], {}, { pingSeconds: 0.05 });
    const running = await begin(pinging, "a fox");
    const waiting = pinging.request(CHAT, {
      method: "POST",
      body: JSON.stringify(body("a hen", { stream: true, max_tokens: 2 })),
    });
    const reader = (await waiting).body!.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toBe(": ping\n\n");
    await running.cancel();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += new TextDecoder().decode(value);
    }
    expect(eventsOf(rest).at(-1)?.data).toBe("[DONE]");
    await pinging.close();
  });

  it("with a conversation's id a lost client stops nothing, and any byte on is read again", async () => {
    const headers = { "x-conversation-id": "c-1" };
    const init = (more: object): RequestInit => ({
      method: "POST",
      body: JSON.stringify(body("rain", { stream: true, ...more })),
      headers,
    });
    const whole = said(await app.events(CHAT, body("rain")));
    const response = await app.request(CHAT, init({}));
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    const all = await (await app.request("/v1/stream?conv_id=c-1")).text();
    expect(said(eventsOf(all))).toBe(whole);
    for (const from of [0, 1, 100, all.length - 1, all.length])
      expect(await (await app.request(`/v1/stream?conv_id=c-1&from=${from}`)).text()).toBe(
        all.slice(from),
      );
    for (const from of ["-1", "x", String(all.length + 1)])
      expect((await app.request(`/v1/stream?conv_id=c-1&from=${from}`)).status).toBe(400);
    expect((await app.request("/v1/stream?conv_id=c-2")).status).toBe(404);
    const found = await app.post("/v1/streams/lookup", { conversation_ids: ["c-1", "c-2"] });
    expect(found.body.streams).toEqual([{ conversation_id: "c-1", size: all.length, done: true }]);
    // One that is stopped ends, and its slot is free.
    const endless = await app.request(CHAT, init({ max_tokens: -1, ignore_eos: true }));
    await endless.body!.getReader().read();
    await app.request("/v1/stream?conv_id=c-1", { method: "DELETE" });
    await idle(app);
  });

  it("a long prompt delays no other stream by more than one of its chunks", async () => {
    const chunk = 16;
    const chunked = testApp([entry(ID, { parallel: 5, options: { chunk } })]);
    const order: string[] = [];
    const long = { prompt: new Array(400).fill(9), temperature: 0, n_predict: 1, stream: true };
    const running = await Promise.all(
      stories.slice(0, 4).map(async (about, i) => {
        const reader = await begin(chunked, about);
        const read = (async () => {
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            const events = eventsOf(new TextDecoder().decode(value));
            for (const _ of events) order.push(String(i));
          }
        })();
        return { reader, read };
      }),
    );
    const begun = order.length;
    const answer = await chunked.request("/completion", {
      method: "POST",
      body: JSON.stringify(long),
    });
    await answer.body!.getReader().read();
    const meanwhile = order.slice(begun);
    for (const { reader } of running) await reader.cancel();
    await Promise.all(running.map(({ read }) => read));
    await chunked.close();
    // A step for each chunk, and in each a token of every stream; the first and the last may lie on the edge.
    for (const i of ["0", "1", "2", "3"])
      expect(meanwhile.filter((one) => one === i).length).toBeGreaterThanOrEqual(400 / chunk - 2);
  });

  it("stopping lets answers finish, then refuses new ones", async () => {
    const closing = testApp();
    const answer = closing.events(CHAT, body("a fox"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const closed = closing.host.close(20_000);
    expect(said(await answer)).toBe(said(await app.events(CHAT, body("a fox"))));
    await closed;
    expect((await closing.post(CHAT, body("a hen"))).status).toBe(503);
  });
});
