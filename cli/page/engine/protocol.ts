/** What tabs and the engine say to each other. Requests carry a number; each gets one reply with it. */
import type {
  ChatMessage,
  FinishReason,
  FitReport,
  LoadOptions,
  Piece,
  SamplingOptions,
} from "../../../mod.ts";
import type { PlainError } from "../../../src/base/plain-errors.ts";
import type { ForwardedRequest } from "./relay.ts";

/** A model as the page names it. */
export interface ModelName {
  /** What opens it again: a reference, `bundled`, or `file:` and the name of one that the user picked. */
  readonly reference: string;
  readonly label: string;
}

/** What is asked to be loaded: files, or a reference where nothing can be kept. */
export interface LoadRequest extends ModelName {
  readonly source: string | readonly Blob[];
  readonly options: Pick<LoadOptions, "contextLength" | "device">;
}

export interface LoadedModel extends ModelName {
  readonly architecture: string;
  readonly contextLength: number;
  readonly device: string;
  readonly kind: "gpu" | "cpu";
  readonly software: boolean;
  /** Bytes. */
  readonly memory: { readonly weights: number; readonly cache: number; readonly arena: number };
  readonly license?: string;
}

/** How the engine stands: the same for all tabs. */
export interface EngineState {
  readonly status: "starting" | "empty" | "loading" | "ready" | "failed";
  /** Of the model that is loading, loaded, or could not be loaded. */
  readonly name?: ModelName;
  readonly model?: LoadedModel;
  /** 0 to 1. */
  readonly progress?: number;
  readonly notice?: string;
  readonly error?: PlainError;
}

export interface AnswerRequest {
  readonly messages: readonly ChatMessage[];
  /** The first message that is part of the prompt, besides the system message. */
  readonly start: number;
  /** The last message is the assistant's, and is carried on. */
  readonly goesOn: boolean;
  readonly sampling: SamplingOptions & { readonly maxTokens?: number };
}

/** Text of one channel. */
export interface Part {
  readonly channel: Piece["channel"];
  readonly text: string;
}

/** What an answer took, for the line below it. */
export interface AnswerStats {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly promptMs: number;
  readonly completionMs: number;
  readonly contextUsed: number;
  readonly contextLength: number;
}

export interface AnswerEnd {
  readonly finish: FinishReason;
  readonly stats: AnswerStats;
}

/** What happens while an answer is written. */
export interface AnswerEvent {
  readonly parts?: readonly Part[];
  /** Turns before this message have left the prompt. */
  readonly start?: number;
  /** What the reader is told: another answer comes first, the device is being restored. */
  readonly notice?: string;
}

export type Request =
  | ({ do: "load" } & LoadRequest)
  | { do: "unload" }
  | ({ do: "answer" } & AnswerRequest)
  | { do: "fit"; source: string | readonly Blob[]; options: LoadRequest["options"] };

export type ToEngine =
  | (Request & { id: number })
  | { abort: number }
  | { hello: string }
  /** A request of a page, and the port on which it is answered. */
  | { forward: ForwardedRequest; port: MessagePort };

export type FromEngine =
  | { id: number; value: unknown }
  | { id: number; error: PlainError }
  | { id: number; event: AnswerEvent }
  | { state: EngineState }
  /** The lock that the engine holds while it lives. */
  | { lives: string };

/** The value of a reply, by request. */
export interface Replies {
  load: undefined;
  unload: undefined;
  answer: AnswerEnd;
  fit: FitReport[];
}
