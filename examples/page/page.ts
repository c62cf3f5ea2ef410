/** A page that loads a file of the user's and answers with it; nothing leaves the browser. */
import type { ChatMessage, Session } from "webgguf";
import { loadModelInWorker } from "webgguf/worker";

const find = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!;
const file = find<HTMLInputElement>("#file");
const prompt = find<HTMLInputElement>("#prompt");
const send = find<HTMLButtonElement>("#ask button");
const state = find<HTMLOutputElement>("#state");
const answer = find<HTMLPreElement>("#answer");

const worker = new Worker(new URL("./engine.ts", import.meta.url), { type: "module" });
const messages: ChatMessage[] = [];
let session: Session | undefined;

const usable = (yes: boolean): void => {
  prompt.disabled = send.disabled = !yes;
};

file.addEventListener("change", async () => {
  try {
    const model = await loadModelInWorker(worker, file.files![0]!, {
      onProgress: ({ stage, loaded, total }) => {
        state.value = `${stage} ${Math.round((100 * loaded) / total)} %`;
      },
    });
    session = model.session();
    state.value = `${model.architecture} on ${model.device.name}`;
    file.disabled = true;
    usable(true);
  } catch (error) {
    state.value = (error as Error).message;
  }
});

find<HTMLFormElement>("#ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!session) return;
  messages.push({ role: "user", content: prompt.value });
  answer.append(`> ${prompt.value}\n`);
  prompt.value = "";
  usable(false);
  try {
    const stream = session.generate(messages);
    for await (const piece of stream) if (piece.channel === "content") answer.append(piece.text); // as text: what a model says is never HTML
    messages.push((await stream).message);
  } catch (error) {
    messages.pop(); // not answered: the next message takes its place
    state.value = (error as Error).message;
  }
  answer.append("\n\n");
  usable(true);
});
