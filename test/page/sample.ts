/** A conversation as models write them: what the page looks like is seen on it. */
import { exported } from "../../cli/page/store/transfer.ts";
import type { Conversation, Message } from "../../cli/page/store/types.ts";

const stats = {
  promptTokens: 38,
  cachedTokens: 21,
  completionTokens: 214,
  promptMs: 182,
  completionMs: 4120,
  contextUsed: 252,
  contextLength: 4096,
};

const answer = `A rainbow is **sunlight sorted by colour** inside millions of falling drops. Three things happen in each of them:

1. Light *bends* as it enters the drop, blue more than red.
2. It is reflected at the back.
3. It bends again on its way out, and leaves at about 42° to the way it came.

So you see each colour from the drops that stand at its own angle, and these lie on a circle around the point opposite the sun.

| Colour | Wavelength | Angle |
| --- | ---: | ---: |
| red | 700 nm | 42.4° |
| green | 530 nm | 41.3° |
| violet | 400 nm | 40.5° |

The angle comes from Snell's law, with \`n\` as the index of water:

\`\`\`ts
/** Where a ray leaves a drop, for the angle at which it enters. */
function deviation(enter: number, n = 1.333): number {
  const inside = Math.asin(Math.sin(enter) / n);
  return Math.PI + 2 * enter - 4 * inside;
}
\`\`\`

> The second, fainter bow comes from light that is reflected twice: its colours stand the other way round.
`;

const DAY = 86_400_000;

function conversation(
  id: string,
  title: string,
  age: number,
  said: readonly Partial<Message>[],
): { head: Conversation; messages: Message[] } {
  const time = Date.now() - age * DAY;
  const messages = said.map(
    (one, i): Message => ({
      id: `${id} ${i}`,
      conversation: id,
      parent: i === 0 ? null : `${id} ${i - 1}`,
      role: i % 2 === 0 ? "user" : "assistant",
      content: "",
      created: time + i,
      ...(i % 2 === 1 && { ended: "stop", stats, model: "Demonstration model" }),
      ...one,
    }),
  );
  const leaf = messages.at(-1)?.id ?? null;
  return { head: { id, title, created: time, updated: time, leaf, preset: "balanced" }, messages };
}

/** The text of a file to import. */
export const sample: string = JSON.stringify(
  exported([
    conversation("rainbow", "How does a rainbow come about?", 0, [
      { content: "How does a rainbow come about? I know some mathematics." },
      {
        content: answer,
        reasoning:
          "They want an explanation with some mathematics.\nRefraction, one reflection, the angle of least deviation.",
      },
      {
        content: "And why is the sky brighter inside the bow?",
        attachments: [{ name: "notes.md", text: "# Notes\n\nInside is brighter." }],
      },
      {
        content: "Because drops inside the bow send all colours at once, which is",
        ended: "stopped",
      },
    ]),
    conversation("fox", "A story about a fox who lost a hat", 0, [
      { content: "A story" },
      { content: "Once" },
    ]),
    conversation("sql", "Rename a column without downtime", 1, [
      { content: "SQL" },
      { content: "First" },
    ]),
    conversation("letter", "A letter to the landlord", 3, [
      { content: "Letter" },
      { content: "Dear" },
    ]),
    conversation("regex", "Match dates but not versions", 4, [
      { content: "Regex" },
      { content: "Use" },
    ]),
    conversation("bread", "Sourdough at 65 % hydration", 12, [
      { content: "Bread" },
      { content: "Mix" },
    ]),
  ]),
);

/** The same with a long conversation: `count` messages of Markdown. */
export function longSample(count: number): string {
  const said = Array.from({ length: count }, (_, i) => ({
    content: i % 2 === 0 ? `Question ${i}` : answer,
  }));
  return JSON.stringify(exported([conversation("long", "A long conversation", 0, said)]));
}
