/** `chat` outlives a lost device and a full context: what was said, /save and /regen are there afterwards. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { Chat } from "../../cli/chat.ts";
import { chat } from "../../cli/commands/chat.ts";
import { parseFlags } from "../../cli/flags.ts";
import { type ChatMessage, loadModel, WebggufError } from "../../mod.ts";
import { backends } from "../../src/session/backends.ts";
import { fixture } from "../fixture.ts";
import { withBackends } from "../session/fake-model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "webgguf-chat-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => void vi.restoreAllMocks());

const cpu = backends.find(({ name }) => name === "cpu")!;

/** The CPU path as devices that are lost at one of their steps; each loading takes the next number. */
function lossy(losses: readonly number[]) {
  const told = { loads: 0 };
  return {
    told,
    backend: {
      ...cpu,
      async open() {
        const device = await cpu.open();
        return {
          ...device,
          async load(...given: Parameters<typeof device.load>) {
            let left = losses[told.loads++] ?? Number.POSITIVE_INFINITY;
            const executor = await device.load(...given);
            const step = executor.step.bind(executor);
            executor.step = ((...asked) => {
              if (left-- > 0) return step(...asked);
              throw new WebggufError("device/lost", "The GPU went away; call restore()");
            }) as typeof step;
            return executor;
          },
        };
      },
    },
  };
}

/** What chat prints on both streams while these lines are typed. */
async function talk(
  lines: readonly string[],
  losses: readonly number[] = [],
  flags: readonly string[] = [],
  ignoreEos = false,
) {
  let out = "";
  let err = "";
  vi.spyOn(process.stdout, "write").mockImplementation(((text: unknown, done?: () => void) => {
    out += text;
    done?.();
    return true;
  }) as typeof process.stdout.write);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((err += text)));
  const { told, backend } = lossy(losses);
  await withBackends([backend], async () => {
    const bytes = await fixture("../../models/webgguf-tale-q8_0.gguf");
    await using model = await loadModel(bytes, { device: "cpu", contextLength: 40 });
    const values = parseFlags(["--simple-io", ...flags], chat.flags);
    const left = [...lines];
    await new Chat(model, { temperature: 0, ignoreEos }, values, () => ({
      next: async () => left.shift(),
      close() {},
    })).run(undefined);
  });
  vi.restoreAllMocks();
  return { out, err, loads: told.loads };
}

const saved = (name: string): ChatMessage[] =>
  JSON.parse(readFileSync(path.join(folder, name), "utf8"));
const file = (name: string): string => path.join(folder, name);
const question = { role: "user", content: "What is 7 + 5?" };
const answer = { role: "assistant", content: "7 + 5 = 12." };

describe("chat on a device that is lost", () => {
  it.each([0, 1, 4, 7])("at step %i keeps the conversation, and answers again", async (step) => {
    const { out, err, loads } = await talk(
      [
        question.content,
        `/save ${file("a.json")}`,
        "/regen",
        `/save ${file("b.json")}`,
        question.content,
        `/save ${file("c.json")}`,
      ],
      [step],
    );
    expect(loads).toBe(2);
    expect(err).toContain("[device/lost]");
    expect(err).toContain("The model was loaded again; /regen answers.");
    // As far as the first answer came.
    const [asked, begun] = saved("a.json");
    expect(asked).toEqual(question);
    expect(answer.content.startsWith(String(begun?.content ?? ""))).toBe(true);
    expect(saved("b.json")).toEqual([question, answer]);
    expect(saved("c.json")).toEqual([question, answer, question, answer]);
    expect(out.endsWith("7 + 5 = 12.\n7 + 5 = 12.\n")).toBe(true);
  });

  it("goes on after several losses, with another question too", async () => {
    const { out, loads } = await talk(
      [question.content, "/regen", question.content, "/regen", `/save ${file("d.json")}`],
      [3, 0, 5],
    );
    expect(loads).toBe(4);
    expect(saved("d.json").at(-1)).toEqual(answer);
    expect(out.endsWith("7 + 5 = 12.\n")).toBe(true);
  });
});

describe("chat in a full context", () => {
  const story = "Tell me a story about a fox.";
  const lines = [question.content, story, `/save ${file("e.json")}`, "/clear", question.content];
  const left = "earlier messages are left out";
  const ends = "is full: the answer ends here.";

  it("goes on in the answer behind fewer turns, and ends it where nothing is left to leave out", async () => {
    const { out, err } = await talk(lines, [], [], true);
    // The first answer is alone in its context: it ends. The second one loses the first turn.
    expect(err.split("\n").filter((line) => line.includes("is full"))).toEqual([
      expect.stringContaining(ends),
      expect.stringContaining(`2 ${left}`),
      expect.stringContaining(ends),
      expect.stringContaining(ends),
    ]);
    const messages = saved("e.json");
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(out).toContain(String(messages[3].content));
    expect(err).not.toContain("[");
  });

  it("does neither with --no-context-shift, and goes on after /clear", async () => {
    const { out, err } = await talk(lines, [], ["--no-context-shift"], true);
    expect(err).not.toContain(left);
    expect(err.match(/\[context\/overflow\]/g)?.length).toBe(1);
    expect(saved("e.json").map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(out.match(/7 \+ 5 = 12\./g)?.length).toBe(2);
  });

  it("says that a question is too long, and keeps the turns before it", async () => {
    const long = "What is 7 + 5? ".repeat(20);
    const { out, err } = await talk([
      question.content,
      long,
      question.content,
      `/save ${file("f.json")}`,
    ]);
    expect(err).toContain("[context/overflow]");
    expect(saved("f.json")).toEqual([question, answer, question, answer]);
    expect(out).toBe("7 + 5 = 12.\n".repeat(2));
  });
});
