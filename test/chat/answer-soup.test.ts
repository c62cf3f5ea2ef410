/** Answers of marks, halves of calls and text in any order: they are read the same however they are cut. */
import { expect, it } from "vitest";
import { AnswerParser, formatsOf } from "../../src/chat/formats/index.ts";
import type { AnswerPiece } from "../../src/chat/formats/types.ts";
import { fixtureText } from "../fixture.ts";
import { SAMPLES, tools } from "./answer-samples.ts";

/** Numbers from 0 to below n, the same ones in each run. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const TEXTS = [
  "a",
  " ",
  "\n",
  "{",
  "}",
  "[",
  '"',
  "'",
  "<",
  ">",
  "add",
  '{"name": "add"',
  "f(a=1)",
  "😀",
];

/** What the pieces say: texts by channel, and the calls. */
function said(pieces: readonly AnswerPiece[]): { texts: Record<string, string>; calls: unknown[] } {
  const texts: Record<string, string> = { content: "", reasoning: "" };
  const calls: unknown[] = [];
  const parts: string[] = [];
  for (const { channel, text, toolCall, part } of pieces) {
    if (channel !== "tool") texts[channel] += text;
    if (part) parts[part.index] = (parts[part.index] ?? "") + part.arguments;
    if (!toolCall) continue;
    // The parts are the call.
    expect(parts[toolCall.index]).toBe(toolCall.arguments);
    if (!toolCall.unfinished) expect(JSON.parse(toolCall.arguments)).toBeTypeOf("object");
    calls[toolCall.index] = toolCall;
  }
  return { texts, calls };
}

it.each([...new Set(SAMPLES.map(({ template }) => template))])("%s", async (template) => {
  const formats = formatsOf(await fixtureText(`reference/templates/${template}.jinja`));
  const own = SAMPLES.filter((sample) => sample.template === template);
  // Pieces of true answers, cut where marks begin and end.
  const fragments = own.flatMap(({ answer }) => answer.split(/(?<=[>\]|])|(?=[<[])/));
  const below = random(template.length * 31 + fragments.length);
  for (let run = 0; run < 40; run++) {
    const answer = Array.from({ length: 2 + below(14) }, () =>
      below(3) === 0 ? TEXTS[below(TEXTS.length)] : fragments[below(fragments.length)],
    ).join("");
    const options = below(4) === 0 ? { tools, startsInReasoning: true } : { tools };
    const parser = new AnswerParser(formats, options);
    const whole = said([...parser.push(answer), ...parser.end()]);
    const stepped = new AnswerParser(formats, options);
    const pieces: AnswerPiece[] = [];
    for (const c of answer) pieces.push(...stepped.push(c));
    expect(said([...pieces, ...stepped.end()])).toEqual(whole);
    const halves = new AnswerParser(formats, options);
    const at = below(answer.length);
    expect(
      said([
        ...halves.push(answer.slice(0, at)),
        ...halves.push(answer.slice(at)),
        ...halves.end(),
      ]),
    ).toEqual(whole);
    // Ended by a limit, it gives nothing else, calls in reasoning that is still open aside.
    const cut = new AnswerParser(formats, options);
    const ended = said([...cut.push(answer.slice(0, at)), ...cut.end(true)]);
    if (ended.calls.length <= whole.calls.length)
      for (const [channel, text] of Object.entries(ended.texts))
        expect(whole.texts[channel].trimStart().startsWith(text.trim())).toBe(true);
  }
});
