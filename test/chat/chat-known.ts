/** Chat cases of llama.cpp's tests that come out otherwise here, each with its cause. */

export interface ChatDifference {
  readonly id: string;
  readonly cause: string;
}

export const KNOWN_CHAT_DIFFERENCES: readonly ChatDifference[] = [];
