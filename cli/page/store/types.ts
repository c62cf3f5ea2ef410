/** What the page keeps: conversations as trees of messages, presets, settings. */
import type { AnswerStats } from "../engine/protocol.ts";

export interface Attachment {
  readonly name: string;
  readonly text: string;
}

/** How an answer ended; `stopped` also where the page was closed in the middle of it. */
export type Ended = "stop" | "length" | "context" | "stopped" | "error";

export interface Message {
  readonly id: string;
  readonly conversation: string;
  /** The message that it follows; null for a first one. Messages with the same parent are branches. */
  readonly parent: string | null;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly reasoning?: string;
  /** What was written of tool calls. */
  readonly tools?: string;
  readonly attachments?: readonly Attachment[];
  /** Milliseconds since 1970. */
  readonly created: number;
  /** The model that answered. */
  readonly model?: string;
  readonly stats?: AnswerStats;
  readonly ended?: Ended;
  readonly error?: string;
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly created: number;
  readonly updated: number;
  /** The last message of the branch that is shown. */
  readonly leaf: string | null;
  readonly preset: string;
  /** What was typed and not sent. */
  readonly draft?: string;
  /** Messages before this one have left the prompt. */
  readonly start?: string;
}

/** System prompt and samplers under a name. */
export interface Preset {
  readonly id: string;
  readonly name: string;
  readonly system: string;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repeatPenalty: number;
  /** -1 = until the end. */
  readonly maxTokens: number;
  /** -1 = another one each time. */
  readonly seed: number;
}

export interface Settings {
  readonly theme: "auto" | "light" | "dark";
  /** Tokens of context; 0 = as loading chooses. */
  readonly contextLength: number;
  readonly device: "auto" | "gpu" | "cpu";
  /** Where `hf:` is fetched from; empty = Hugging Face. */
  readonly hub: string;
  /** The preset of new conversations. */
  readonly preset: string;
  /** What was typed into the empty conversation. */
  readonly draft: string;
  /** The model to open again. */
  readonly model?: { readonly reference: string; readonly label: string };
  /** The conversation that was open. */
  readonly open?: string;
}

export const balanced: Preset = {
  id: "balanced",
  name: "Balanced",
  system: "",
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repeatPenalty: 1,
  maxTokens: -1,
  seed: -1,
};

/** The presets of a first visit. */
export const firstPresets: readonly Preset[] = [
  balanced,
  { ...balanced, id: "exact", name: "Exact", temperature: 0 },
];

export const firstSettings: Settings = {
  theme: "auto",
  contextLength: 0,
  device: "auto",
  hub: "",
  preset: balanced.id,
  draft: "",
};
