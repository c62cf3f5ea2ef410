/** What a server holds on a real device: nothing while it sleeps, one model where two do not fit; a lost one comes back. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { HostOptions } from "../../cli/server/host.ts";
import { loadModel } from "../../mod.ts";
import { root } from "../checks/sources.ts";
import { counting, type Open } from "../fuzz/orders.ts";
import { gpuAvailable } from "../gpu.ts";
import { entry, type Json, type Tested, testApp } from "./app.ts";

const bytes = new Uint8Array(readFileSync(path.join(root, "models/webgguf-tale-q8_0.gguf")));
const CHAT = "/v1/chat/completions";
const load: HostOptions["load"] = (_, options) =>
  loadModel(bytes, { ...options, device: "gpu", contextLength: 128 });
const body = (about: string, more: object = {}): object => ({
  messages: [{ role: "user", content: `Tell me a story about ${about}.` }],
  ...{ max_tokens: 12, temperature: 0, ignore_eos: true, ...more },
});
const said = (events: { data: Json }[]): string =>
  events.map(({ data }) => data.choices?.[0]?.delta.content ?? "").join("");

describe.skipIf(!gpuAvailable)("a server on a GPU", () => {
  const apps: Tested[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });
  const serving = (...args: Parameters<typeof testApp>): Tested => {
    const app = testApp(...args);
    apps.push(app);
    return app;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    for (let i = 0; i < 1000 && !holds(); i++) await new Promise((r) => setTimeout(r, 10));
    expect(holds()).toBe(true);
  };

  it("goes on with the same texts when the device goes away under three streams", () =>
    counting(async (open: Open) => {
      const app = serving(undefined, { load });
      const about = ["a fox", "a hen", "rain"];
      const alone: string[] = [];
      for (const one of about) alone.push(said(await app.events(CHAT, body(one))));
      const streams = about.map((one) => app.events(CHAT, body(one, { max_tokens: 40 })));
      const whole = Promise.all(streams);
      await until(() =>
        app.host.loaded()[0].slots.all.some(({ task }) => (task?.decoded ?? 0) > 2),
      );
      for (const device of open.gpus) device.destroy();
      const events = await whole;
      expect(events.every((all) => all.at(-1)!.data === "[DONE]")).toBe(true);
      expect(events.map((all, i) => said(all).startsWith(alone[i]))).toEqual([true, true, true]);
      await app.close();
    }));

  it("holds no buffer while it sleeps, and never two models where one fits", () =>
    counting(async (open: Open) => {
      const app = serving([entry("a"), entry("b")], {
        ...{ memory: 100, needs: async () => 60, sleepAfter: 400 },
        load: (...args) => {
          expect(open.buffers.size).toBe(0);
          return load(...args);
        },
      });
      const ask = async (model: string): Promise<string> =>
        (await app.post(CHAT, body("a fox", { model }))).body.choices[0].message.content;
      const text = await ask("a");
      expect(open.buffers.size).toBeGreaterThan(0);
      expect(await ask("b")).toBe(text);
      await until(() => open.buffers.size === 0 && open.gpus.size === 0);
      const states = (await app.get("/v1/models")).body.data;
      expect(states.map((one: Json) => one.status.value)).toEqual(["unloaded", "sleeping"]);
      expect(await ask("b")).toBe(text);
      await app.close();
      expect(open.buffers.size).toBe(0);
    }));
});
