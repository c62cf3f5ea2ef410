/** A device that goes away in the middle of answers: every client has its whole text, and hears of nothing else. */
import { afterEach, describe, expect, it } from "vitest";
import { type Model, WebggufError } from "../../mod.ts";
import { type Json, loadTale, proxied, type Tested, testApp } from "./app.ts";

const CHAT = "/v1/chat/completions";
const body = (about: string, more: object = {}): object => ({
  messages: [{ role: "user", content: `Tell me a story about ${about}.` }],
  ...{ max_tokens: 20, seed: 3, temperature: 1, ...more },
});
const said = (events: { data: Json }[]): string =>
  events.map(({ data }) => data.choices?.[0]?.delta.content ?? "").join("");
const stories = ["a fox", "a hen", "the sea", "rain"];

/** A model whose device the test can lose: what is computed then fails until it is restored. */
class Losing {
  lost = false;
  restored = 0;
  /** Whether it can be restored. */
  whole = true;
  /** Called after each piece. */
  piece: () => void = () => {};
  /** The seeds of all answers that were begun. */
  readonly seeds = new Set<unknown>();

  model(real: Model): Model {
    // What was begun before the device came back fails even then, as in the engine.
    const check = (begun: number): void => {
      if (this.lost || begun !== this.restored)
        throw new WebggufError("device/lost", "The GPU went away");
    };
    return {
      ...proxied(real),
      session: () =>
        new Proxy(real.session(), {
          get: (target, name) => {
            const value = Reflect.get(target, name, target);
            if (typeof value !== "function") return value;
            if (name !== "generate") return value.bind(target);
            return (...args: unknown[]) => {
              const stream = value.apply(target, args);
              const next = stream.next.bind(stream);
              const begun = this.restored;
              this.seeds.add((args[1] as { seed?: number }).seed);
              stream.next = async () => {
                check(begun);
                const result = await next();
                this.piece();
                check(begun);
                return result;
              };
              return stream;
            };
          },
        }),
      restore: async () => {
        if (!this.whole) throw new WebggufError("device/no-adapter", "There is no GPU");
        this.restored++;
        this.lost = false;
      },
    };
  }
}

describe("a device that is lost", () => {
  const open: Tested[] = [];
  afterEach(async () => {
    for (const app of open.splice(0)) await app.close();
  });
  const losing = (): { device: Losing; app: Tested; loads: () => number } => {
    const device = new Losing();
    let loads = 0;
    const app = testApp(undefined, {
      load: async (...args) => {
        loads++;
        return device.model(await loadTale(...args));
      },
    });
    open.push(app);
    return { device, app, loads: () => loads };
  };

  it("at any piece of four streams changes no text, and is restored once for all", async () => {
    const { device, app } = losing();
    const alone: string[] = [];
    for (const about of stories) alone.push(said(await app.events(CHAT, body(about))));
    for (const at of [1, 2, 7, 30, 61]) {
      let pieces = 0;
      const before = device.restored;
      device.piece = () => {
        if (++pieces === at) device.lost = true;
      };
      const streams = await Promise.all(stories.map((about) => app.events(CHAT, body(about))));
      expect(streams.map(said)).toEqual(alone);
      expect(streams.every((events) => events.at(-1)!.data === "[DONE]")).toBe(true);
      expect(device.restored).toBe(before + 1);
    }
  });

  it("under answers without a seed, to the end of a form, and under whole ones", async () => {
    const { device, app } = losing();
    const loseTwice = (): void => {
      let left = 2;
      let pieces = 0;
      device.piece = () => {
        if (++pieces % 7 === 0 && left-- > 0) device.lost = true;
      };
    };
    loseTwice();
    const free = await app.events(CHAT, body("a fox", { seed: undefined, ignore_eos: true }));
    expect(said(free).length).toBeGreaterThan(10);
    expect(device.restored).toBe(2);
    // One seed, of the server's own choice.
    expect([...device.seeds]).toEqual([expect.any(Number)]);
    expect(Number([...device.seeds][0])).toBeGreaterThanOrEqual(0);
    loseTwice();
    const schema = { type: "array", items: { type: "boolean" }, minItems: 3, maxItems: 3 };
    const formed = await app.post(CHAT, body("a hen", { json_schema: schema, max_tokens: 40 }));
    expect(JSON.parse(formed.body.choices[0].message.content)).toHaveLength(3);
    expect(device.restored).toBeGreaterThan(2);
  });

  it("for good ends the streams with an error, and the next request loads the model anew", async () => {
    const { device, app, loads } = losing();
    device.piece = () => {
      device.lost = true;
    };
    device.whole = false;
    const events = await app.events(CHAT, body("a fox"));
    expect(events.at(-1)!.data.error.message).toContain("There is no GPU");
    device.lost = false;
    device.piece = () => {};
    expect(said(await app.events(CHAT, body("a fox"))).length).toBeGreaterThan(10);
    expect(loads()).toBe(2);
  });
});
