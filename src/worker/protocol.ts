/**
 * What the two sides of a worker say to each other. The client numbers its requests; each gets one
 * reply with that number. A stream (one `generate`) is opened, asked for one piece at a time, and
 * closed, so a slow reader slows the engine down and nothing piles up.
 */
import { type Rule, rule } from "../base/options.ts";
import type { PlainError } from "../base/plain-errors.ts";
import type { Metadata, MetadataValue } from "../file/metadata.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import type {
  Answer,
  GenerateOptions,
  LoadOptions,
  LoadProgress,
  Model,
  ModelSource,
  Piece,
  Prompt,
  PromptPart,
  SavedSession,
  SessionStats,
} from "../session/types.ts";

/** Stands in every message, so that others can pass over the same port. */
export const OURS = "webgguf";

/** Whether a message on the port is of the other side. */
export function isOurs(message: unknown): message is Record<string, unknown> {
  return typeof message === "object" && message !== null && OURS in message;
}

/** A Worker, a MessagePort, or the global scope of a worker. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
  /** Only of a MessagePort: begins delivery. */
  start?(): void;
  /** Only of a Worker. */
  terminate?(): void;
}

/** The rule of ports. */
export const portRule: Rule<Port> = rule("a Worker or MessagePort", (value) => {
  const { postMessage, addEventListener, removeEventListener } = Object(value);
  return [postMessage, addEventListener, removeEventListener].every(
    (one) => typeof one === "function",
  );
});

export type Request =
  | { do: "load"; source: ModelSource; options: Omit<LoadOptions, Uncloneable> }
  | { do: "session"; model: number }
  | {
      do: "open";
      session: number;
      prompt: Prompt;
      options: Omit<GenerateOptions, "signal" | "filter">;
    }
  | { do: "next"; session: number; stream: number }
  | { do: "close"; session: number; stream: number }
  | { do: "logits"; session: number; tokens: ArrayLike<number> | readonly PromptPart[] }
  | { do: "fork"; session: number }
  | { do: "save"; session: number }
  | { do: "restoreSession"; session: number; saved: SavedSession }
  | { do: "reset"; session: number }
  | { do: "endSession"; session: number }
  | { do: "embed"; model: number; texts: readonly (string | readonly number[])[] }
  | { do: "restore"; model: number }
  | { do: "endModel"; model: number };

type Uncloneable = "signal" | "onProgress" | "onNotice";

/** A request with its number, or the wish to abort the request (or stream) of that number. */
export type ToWorker = OneToWorker | Together<OneToWorker>;
export type OneToWorker = (Request & { id: number }) | { abort: number };

/** Pieces that are asked for, or come, at the same moment travel in one message: those of a step. */
export interface Together<T> {
  readonly together: readonly T[];
}

export type FromWorker = OneFromWorker | Together<OneFromWorker>;
export type OneFromWorker =
  | { id: number; value: unknown; session?: SessionState }
  | { id: number; error: PlainError; session?: SessionState }
  | { id: number; progress: LoadProgress }
  | { id: number; notice: string }
  /** A request could not be read: nobody knows which. */
  | { broken: string };

/** How a session stands after a reply: tokens as a change of what was told before. */
export interface SessionState {
  /** Tokens of them that are the same. */
  readonly common: number;
  readonly added: readonly number[];
  readonly stats: SessionStats;
}

export interface ModelFacts {
  readonly model: number;
  readonly architecture: string;
  readonly contextLength: number;
  readonly device: Model["device"];
  readonly memory: Model["memory"];
  readonly file: PlainFile;
}

/** The next piece of a stream, with those of its other answers that came together, or at its end the whole answer. */
export type NextPiece =
  | (IteratorYieldResult<Piece> & { readonly more: readonly Piece[] })
  | IteratorReturnResult<Answer>;

/** A {@link ModelFile} without its sources, as plain data. */
export interface PlainFile {
  readonly name: string;
  readonly version: number;
  readonly alignment: number;
  readonly metadata: readonly (readonly [string, MetadataValue])[];
  readonly tensors: readonly TensorInfo[];
  readonly dataOffsets: readonly number[];
}

export function plainFile(file: ModelFile): PlainFile {
  return {
    name: file.name,
    version: file.version,
    alignment: file.alignment,
    metadata: [...(file.metadata as Metadata)],
    tensors: [...file.tensors.values()],
    dataOffsets: file.dataOffsets,
  };
}
