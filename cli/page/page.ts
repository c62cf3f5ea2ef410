/** A page that loads a GGUF file into a Web Worker and talks with it. Nothing leaves the browser. */
import type { Model, ModelSource, Session } from "../../mod.ts";
import { loadModelInWorker } from "../../src/worker/mod.ts";
import { answerTo, laterStart, type Talk } from "../conversation.ts";
import { modelName, tooLong, words } from "./words.ts";

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
let conversation: Talk = { messages: [], start: 0 };
let answering: AbortController | undefined;

function show(text: string): void {
  failure.textContent = text;
  failure.hidden = false;
}

function update(): void {
  const ready = session !== undefined && answering === undefined;
  prompt.disabled = session === undefined;
  send.disabled = !ready;
  clear.disabled = !ready || conversation.messages.length === 0;
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
  conversation = { messages: [], start: 0 };
  talk.replaceChildren();
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
    const emulated = model.device.software ? " (software emulation)" : "";
    device.textContent = `${name}: ${model.architecture} on ${model.device.name}${emulated}.`;
  } catch (error) {
    model = undefined;
    device.textContent = "No model loaded.";
    show(words(error));
  } finally {
    progress.hidden = true;
    file.disabled = bundled.disabled = false;
    update();
    if (session) prompt.focus();
  }
}

/** Leaves the older half of the turns out of the prompt, and says so; false where there is but one. */
function leaveOut(): boolean {
  const later = laterStart(conversation);
  if (later === undefined) return false;
  conversation.start = later;
  say("figures", `The context is full: ${later} earlier messages are left out from here on.`);
  return true;
}

async function answer(text: string): Promise<void> {
  if (!model || !session) return;
  failure.hidden = true;
  answering = new AbortController();
  update();
  const { messages, start } = conversation;
  // A question without an answer gives way to the next one.
  if (messages.at(-1)?.role === "user") messages.pop();
  messages.push({ role: "user", content: text });
  const asked = say("user", text);
  let line: HTMLParagraphElement | undefined;
  try {
    const { contextUsed, contextLength } = session.stats();
    if (contextUsed > (3 / 4) * contextLength) leaveOut();
    const pieces = answerTo(
      session,
      conversation,
      { signal: answering.signal },
      { leaveOut, onEnd: () => say("figures", "The context is full: the answer ends here.") },
    );
    for await (const piece of pieces) {
      if (piece.text === "") continue;
      // Behind a notice, too, the answer goes on in a paragraph of its own.
      if (line?.className !== piece.channel || line !== talk.lastChild)
        line = say(piece.channel, "");
      line.append(piece.text);
      line.scrollIntoView({ block: "nearest" });
    }
    const { completionTokens, completionMs } = session.stats();
    if (completionTokens > 1)
      say("figures", `${(((completionTokens - 1) / completionMs) * 1000).toFixed(1)} tokens/s`);
  } catch (error) {
    if (!answering.signal.aborted) {
      const overflow = (error as { code?: string }).code === "context/overflow";
      if (overflow) takeBack(asked, start);
      prompt.value ||= text;
      if (overflow) show(tooLong(model.contextLength));
      else await fail(error);
    }
  } finally {
    answering = undefined;
    update();
  }
}

/** A question for which there is no room counts as not asked, and leaves no turn out. */
function takeBack(asked: HTMLElement, start: number): void {
  conversation.messages.pop();
  conversation.start = start;
  while (asked.nextSibling) asked.nextSibling.remove();
  asked.remove();
}

/** Whatever goes wrong, the conversation stays, and the question can be sent again. */
async function fail(error: unknown): Promise<void> {
  show(words(error));
  if ((error as { code?: string }).code !== "device/lost") return;
  try {
    await model?.restore();
    show("The graphics device was lost, and the model was loaded again. Send your message again.");
  } catch (again) {
    show(words(again));
  }
}

function choose(files: FileList | null | undefined): void {
  if (!files?.length || file.disabled) return;
  const chosen = Array.from(files);
  // So that the same files can be chosen again.
  file.value = "";
  void load(chosen.length === 1 ? chosen[0] : chosen, modelName(chosen.map(({ name }) => name)));
}

file.addEventListener("change", () => choose(file.files));
for (const event of ["dragover", "drop"] as const)
  document.addEventListener(event, (drag) => {
    if (!drag.dataTransfer?.types.includes("Files")) return;
    drag.preventDefault();
    if (event === "drop") choose(drag.dataTransfer.files);
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
  conversation = { messages: [], start: 0 };
  talk.replaceChildren();
  update();
  prompt.focus();
});
