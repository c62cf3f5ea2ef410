/** One answer: pieces in batches, turns that leave a full context, and a device that was lost. */
import type { GenerateOptions, Model, Piece } from "../../../mod.ts";
import { answerTo, firstThatFits, laterStart, type Talk } from "../../conversation.ts";
import type { Slots } from "../../server/slots.ts";
import type { AnswerEnd, AnswerEvent, AnswerRequest, Part } from "./protocol.ts";

/** Milliseconds between two messages to a tab: it paints no faster. */
const BATCH = 40;

/** Joins pieces to parts of one channel, and hands them on in batches. */
class Batches {
  readonly #send: (event: AnswerEvent) => void;
  #parts: { channel: Part["channel"]; text: string }[] = [];
  #sent = 0;

  constructor(send: (event: AnswerEvent) => void) {
    this.#send = send;
  }

  add({ channel, text }: Piece): void {
    if (text === "") return;
    const last = this.#parts.at(-1);
    if (last?.channel === channel) last.text += text;
    else this.#parts.push({ channel, text });
    if (performance.now() - this.#sent >= BATCH) this.flush();
  }

  flush(): void {
    if (this.#parts.length === 0) return;
    this.#send({ parts: this.#parts });
    this.#parts = [];
    this.#sent = performance.now();
  }
}

/** Answers; an abort ends it as an answer that was stopped. Errors: those of the engine. */
export async function answer(
  { model, slots }: { readonly model: Model; readonly slots: Slots },
  request: AnswerRequest,
  signal: AbortSignal,
  send: (event: AnswerEvent) => void,
): Promise<AnswerEnd> {
  const { sampling, goesOn } = request;
  if (slots.busy > 0) send({ notice: "Waiting: another answer comes first." });
  const slot = await slots.acquire([], undefined, signal);
  const { session } = slot;
  const batches = new Batches(send);
  const talk: Talk = { messages: [...request.messages], start: request.start };
  const begin = (start: number): void => {
    if (start === talk.start) return;
    talk.start = start;
    send({ start });
  };
  let full = false;
  const whenFull = {
    leaveOut: () => {
      const later = laterStart(talk);
      if (later !== undefined) begin(later);
      return later !== undefined;
    },
    onEnd: () => {
      full = true;
    },
  };
  const end = (finish: AnswerEnd["finish"]): AnswerEnd => ({ finish, stats: session.stats() });
  const options = (carriesOn: boolean): GenerateOptions => ({
    ...sampling,
    signal,
    ...(carriesOn && { template: { continueFinalMessage: true } }),
  });
  try {
    const room = Math.min(sampling.maxTokens ?? Number.POSITIVE_INFINITY, model.contextLength >> 2);
    begin(firstThatFits(model, talk, options(goesOn), room));
    for (let carriesOn = goesOn, tries = 0; ; tries++) {
      const before = talk.messages.length;
      try {
        for await (const piece of answerTo(session, talk, options(carriesOn), whenFull))
          batches.add(piece);
        break;
      } catch (error) {
        if ((error as { code?: string }).code !== "device/lost" || tries > 0) throw error;
        batches.flush();
        send({ notice: "The graphics device was lost. Loading the model again …" });
        await model.restore({ signal });
        send({ notice: "" });
        carriesOn ||= talk.messages.length > before;
      }
    }
    return end(full ? "context" : (session.stats().finishReason ?? "stop"));
  } catch (error) {
    if (!signal.aborted) throw error;
    return end("aborted");
  } finally {
    batches.flush();
    slots.release(slot);
  }
}
