/**
 * Messages as OpenAI's clients keep them, made ready for a template as llama.cpp's chat layer does:
 * `content: null` is empty text, arguments may be JSON text, "developer" is "system", and what a
 * template has no place for goes where it has one. Which places it has is found by rendering small
 * conversations and looking for their words in the result.
 */
import { WebggufError } from "../base/errors.ts";
import { mapSteps } from "../base/steps.ts";
import type { ChatMessage, ToolCall, ToolDefinition } from "./messages.ts";

/** Renders a small conversation; undefined where the template refuses it. */
export type Attempt = (messages: readonly Message[]) => string | undefined;

/** A message as a template reads it. */
export type Message = Readonly<Record<string, unknown>>;

/** A message on its way: its content as the texts of its parts. */
interface Draft {
  readonly role: string;
  readonly texts: readonly string[];
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly ToolCall[];
}

/** What is looked for in the rendering of a small conversation. */
export const WORD = "needle";
const said = (role: string, content: unknown = WORD): Message => ({ role, content });
export const ASK: Message = said("user", "Hello");
const ID = "123456789";
const textPart = (text: string): Message => ({ type: "text", text });
const calling = (given: unknown): Message => ({
  ...said("assistant", ""),
  tool_calls: [{ id: ID, type: "function", function: { name: "probe", arguments: given } }],
});
const result: Message = { ...said("tool"), tool_call_id: ID, name: "probe" };

/** Whether the template writes the word of a small conversation, and not in a dump of a structure. */
const printing =
  (attempt: Attempt) =>
  (...probe: Message[]): boolean => {
    const text = attempt(probe) ?? "";
    return text.includes(WORD) && !/(["'])needle\1[,}]/.test(text);
  };

/** The messages as the template that `attempt` renders wants them. Errors: `input/invalid`. */
export function* prepareMessages(
  messages: readonly ChatMessage[],
  render: Attempt,
): Generator<void, Message[]> {
  const user = said("user");
  const typed = !printing(render)(user) && printing(render)(inParts(user));
  const attempt: Attempt = typed ? (probe) => render(probe.map(inParts)) : render;

  let drafts: readonly Draft[] = yield* mapSteps(messages, draft);
  const some = (test: (one: Draft) => unknown): boolean => drafts.some(test);
  if (some(isSystem)) drafts = withSystem(drafts, printing(attempt));
  const form = some(({ tool_calls }) => tool_calls) ? argumentsForm(attempt) : undefined;
  const place = some(({ reasoning_content }) => reasoning_content) && reasoningPlace(attempt);
  const prepared = yield* mapSteps(drafts, ({ texts, ...message }): Message => {
    const out: Record<string, unknown> = message;
    out["content"] = typed ? texts.map(textPart) : texts.join("\n");
    const { tool_calls, reasoning_content } = message;
    if (tool_calls && form) out["tool_calls"] = tool_calls.map((call) => convert(call, form));
    if (!reasoning_content) return out;
    delete out["reasoning_content"];
    return (place || inField("reasoning_content"))(out, reasoning_content);
  });
  return some(({ role }) => role === "tool") && !attempt([ASK, calling({}), result])?.includes(ID)
    ? inOrder(prepared)
    : prepared;
}

const inParts = (message: Message): Message => {
  const { content } = message;
  return typeof content === "string" ? { ...message, content: [textPart(content)] } : message;
};

/** Results without ids stand in the order of their calls. */
function inOrder(messages: readonly Message[]): Message[] {
  const places = new Map<unknown, number>();
  const out: Message[] = [];
  let results: Message[] = [];
  const place = ({ tool_call_id }: Message): number => places.get(tool_call_id) ?? places.size;
  for (const message of [...messages, {}]) {
    if (message["role"] === "tool") results.push(message);
    else {
      out.push(...results.sort((a, b) => place(a) - place(b)), message);
      results = [];
      places.clear();
      for (const { id } of (message["tool_calls"] as ToolCall[] | undefined) ?? [])
        places.set(id, places.size);
    }
  }
  return out.slice(0, -1);
}

/** A message with its content as one text. */
export function plainMessage(message: ChatMessage): Message {
  const { texts, ...rest } = draft(message);
  return { ...rest, content: texts.join("\n") };
}

/** The fields that are set, with the content as a list of texts. */
function draft(message: ChatMessage): Draft {
  const { content, role } = message;
  const out: Record<string, unknown> = {
    role: role === "developer" ? "system" : role,
    texts:
      typeof content === "string"
        ? [content]
        : (content ?? [{ type: "text", text: "" }]).map(textOf),
  };
  for (const key in message) {
    const value: unknown = message[key as keyof ChatMessage];
    if (key !== "role" && key !== "content" && !isNothing(value)) out[key] = value;
  }
  return out as unknown as Draft;
}

const isNothing = (value: unknown): boolean =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0);

function textOf(part: { readonly type: string; readonly text?: string }): string {
  if (part.type === "text" && typeof part.text === "string") return part.text;
  throw new WebggufError(
    "input/invalid",
    `Cannot read a message's part of type ${JSON.stringify(part.type)}: models are given text here; leave it out, or describe it in words`,
    { expected: "text", actual: part.type },
  );
}

const isSystem = ({ role }: Draft): boolean => role === "system";

/** System messages where the template has a place for them: all, one at the beginning, or none. */
function withSystem(
  drafts: readonly Draft[],
  prints: (...probe: Message[]) => boolean,
): readonly Draft[] {
  const [system, other] = [said("system"), said("system", "Hi")];
  const count = [...drafts, { role: "" }].findIndex(({ role }) => role !== "system");
  if (!prints(system, ...(count === drafts.length ? [] : [ASK]))) return saidByUser(drafts);
  const [leading, rest] = [drafts.slice(0, count), drafts.slice(count)];
  const both = (...between: Message[]): boolean =>
    prints(system, ...between, other, ASK) && prints(other, ...between, system, ASK);
  const all = count < 2 || both();
  const first = all ? leading : [{ ...leading[0], texts: leading.flatMap(({ texts }) => texts) }];
  const later = rest.some(isSystem) && !both(ASK, said("assistant", "Hi"));
  return [...first, ...(later ? saidByUser(rest) : rest)];
}

/** System messages put before what the user says next; one that nothing follows is said by the user. */
function saidByUser(drafts: readonly Draft[]): Draft[] {
  const out: Draft[] = [];
  let waiting: string[] = [];
  for (const one of drafts) {
    if (isSystem(one)) waiting.push(one.texts.join("\n"));
    else if (one.role === "user") {
      const [first = "", ...rest] = one.texts;
      out.push({ ...one, texts: [[...waiting, first].join("\n"), ...rest] });
      waiting = [];
    } else out.push(one);
  }
  return waiting.length > 0 ? [...out, { role: "user", texts: waiting }] : out;
}

/** Puts a thought where a template looks for it. */
type PutReasoning = (message: Message, thought: string) => Message;

const inField =
  (field: string): PutReasoning =>
  (message, thought) => ({ ...message, [field]: thought });

const REASONING_PLACES: readonly PutReasoning[] = [
  inField("reasoning_content"),
  inField("reasoning"),
  // These templates take a thought before calls in place of content.
  (message, thought) => ({
    ...message,
    ...(message["tool_calls"] ? { content: undefined } : {}),
    thinking: thought,
  }),
  (message, thought) => ({
    ...message,
    content: [
      { type: "thinking", thinking: thought },
      ...[message["content"]].flat().map((one) => (typeof one === "string" ? textPart(one) : one)),
    ],
  }),
];

/** The place where a template looks for the thought of an answer, or of a message with calls. */
export function reasoningPlace(attempt: Attempt): PutReasoning | undefined {
  const prints = printing(attempt);
  return REASONING_PLACES.find(
    (put) =>
      prints(ASK, put(said("assistant", "Hi"), WORD)) ||
      prints(ASK, put(calling({}), WORD), { ...result, content: "1" }),
  );
}

type Form = "text" | "object";

/** How a template prints the arguments of a call right; undefined: as they are given. */
function argumentsForm(attempt: Attempt): Form | undefined {
  const given = { [WORD]: "x" };
  const printed = (one: unknown, wrong: string): boolean => {
    const text = attempt([ASK, calling(one)]);
    return text?.includes(WORD) === true && !text.includes(wrong);
  };
  // Wrong: as Python writes a mapping, or JSON text as a JSON string.
  if (printed(given, `'${WORD}'`)) return "object";
  return printed(JSON.stringify(given), `\\"${WORD}`) ? "text" : undefined;
}

function convert({ unfinished, ...call }: ToolCall, form: Form): ToolCall {
  const { arguments: given } = call.function;
  const isText = typeof given === "string";
  if (isText === (form === "text")) return call;
  const read = isText ? parseArguments(given) : JSON.stringify(given);
  return { ...call, function: { ...call.function, arguments: read } };
}

/** Stands for a long whole number while JSON is read. */
const LONG = "\u{f8ff}";

/** JSON text as data, whole numbers beyond 2^53 as bigint; other text as it stands. */
function parseArguments(text: string): unknown {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|[-+.\w]+/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"${LONG}${token}"` : token,
  );
  try {
    return JSON.parse(marked || "{}", (_, value) =>
      typeof value === "string" && value[0] === LONG ? BigInt(value.slice(1)) : value,
    );
  } catch {
    return text; // a model may write broken JSON, and the template prints what it wrote
  }
}

/** Tools with every field that templates expect, in the order that llama.cpp gives them. */
export const prepareTools = (tools: readonly ToolDefinition[]): object[] =>
  tools.map(({ function: { name, description, parameters, ...rest } }) => ({
    type: "function",
    function: { name, description: description ?? "", parameters: parameters ?? {}, ...rest },
  }));
