/** A page that loads a GGUF file into a Web Worker and talks with it. Nothing leaves the browser. */
import type { ChatMessage, Model, ModelSource, Piece, Session } from "../../mod.ts";
import { loadModelInWorker } from "../../src/worker/mod.ts";
import { from, laterStart } from "../conversation.ts";

const BUNDLED = "webgguf-tale-q8_0.gguf";

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const device = element("device");
const file = element<HTMLInputElement>("file");
const bundled = element<HTMLButtonElement>("bundled");
const progress = element<HTMLProgressElement>("progress");
const talk = element("talk");
const failure = element("error");
const form = element<HTMLFormElement>("ask");
const prompt = element<HTMLTextAreaElement>("prompt");
const send = element<HTMLButtonElement>("send");
const stop = element<HTMLButtonElement>("stop");
const clear = element<HTMLButtonElement>("clear");

let worker: Worker | undefined;
let model: Model | undefined;
let session: Session | undefined;
let messages: ChatMessage[] = [];
/** The first message of the prompt: earlier ones are left out when the context is full. */
let start = 0;
let answering: AbortController | undefined;

function show(error: unknown): void {
  failure.textContent = error instanceof Error ? error.message : String(error);
  failure.hidden = false;
}

function update(): void {
  const ready = session !== undefined && answering === undefined;
  prompt.disabled = session === undefined;
  send.disabled = !ready;
  clear.disabled = !ready || messages.length === 0;
  stop.disabled = answering === undefined;
}

function say(kind: string, text: string): HTMLParagraphElement {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  talk.append(line);
  return line;
}

async function load(source: ModelSource, name: string): Promise<void> {
  failure.hidden = true;
  file.disabled = bundled.disabled = true;
  device.textContent = `Loading ${name} …`;
  progress.hidden = false;
  progress.removeAttribute("value");
  try {
    session = undefined;
    await model?.dispose();
    worker?.terminate();
    worker = new Worker(new URL("./engine.ts", import.meta.url), { type: "module" });
    model = await loadModelInWorker(worker, source, {
      onProgress: ({ loaded, total }) => {
        progress.value = total > 0 ? loaded / total : 0;
      },
      onNotice: (text) => say("figures", text),
    });
    session = model.session();
    messages = [];
    start = 0;
    const emulated = model.device.software ? " (software emulation)" : "";
    device.textContent = `${name}: ${model.architecture} on ${model.device.name}${emulated}.`;
  } catch (error) {
    model = undefined;
    device.textContent = "No model loaded.";
    show(error);
  } finally {
    progress.hidden = true;
    file.disabled = bundled.disabled = false;
    update();
    if (session) prompt.focus();
  }
}

/** Leaves the older half of the turns out of the prompt, and says so; false where there is but one. */
function leaveOut(): boolean {
  const later = laterStart(messages, start);
  if (later === undefined) return false;
  start = later;
  say("figures", `The context is full: ${later} earlier messages are left out from here on.`);
  return true;
}

/** The answer to as much of the conversation as the context holds. */
async function* pieces(session: Session, signal: AbortSignal): AsyncGenerator<Piece> {
  for (;;)
    try {
      return yield* session.generate(from(messages, start), { signal });
    } catch (error) {
      if ((error as { code?: string }).code !== "context/overflow" || !leaveOut()) throw error;
    }
}

async function answer(text: string): Promise<void> {
  if (!session) return;
  failure.hidden = true;
  answering = new AbortController();
  update();
  // A question without an answer gives way to the next one.
  if (messages.at(-1)?.role === "user") messages.pop();
  messages.push({ role: "user", content: text });
  say("user", text);
  let content = "";
  let kind = "";
  let line: HTMLParagraphElement | undefined;
  try {
    const { contextUsed, contextLength } = session.stats();
    if (contextUsed > (3 / 4) * contextLength) leaveOut();
    const { signal } = answering;
    for await (const piece of pieces(session, signal)) {
      if (piece.text === "") continue;
      if (!line || kind !== piece.channel) line = say((kind = piece.channel), "");
      line.append(piece.text);
      line.scrollIntoView({ block: "nearest" });
      if (piece.channel === "content") content += piece.text;
    }
  } catch (error) {
    if (!answering.signal.aborted) show(error);
  } finally {
    answering = undefined;
    if (content !== "") messages.push({ role: "assistant", content });
    const { completionTokens, completionMs, finishReason } = session.stats();
    if (finishReason === "context") say("figures", "The context is full: the answer ends here.");
    if (completionTokens > 1)
      say("figures", `${(((completionTokens - 1) / completionMs) * 1000).toFixed(1)} tokens/s`);
    update();
  }
}

file.addEventListener("change", () => {
  const [chosen] = file.files ?? [];
  if (chosen) void load(chosen, chosen.name);
});
bundled.addEventListener("click", () => {
  void load(new URL(`./${BUNDLED}`, document.baseURI), "the demonstration model");
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = prompt.value.trim();
  if (text === "" || answering) return;
  prompt.value = "";
  void answer(text);
});
prompt.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
stop.addEventListener("click", () => answering?.abort());
clear.addEventListener("click", () => {
  messages = [];
  start = 0;
  talk.replaceChildren();
  update();
  prompt.focus();
});
