/** What a page and its store's worker say to each other: numbered requests, one reply to each, reports between. */
import type { PlainError } from "../../base/plain-errors.ts";
import type { DownloadProgress } from "./progress.ts";
import type { StoreOptions } from "./types.ts";

/** Options as they can be posted. */
export type PostedOptions = Omit<StoreOptions, "signal" | "onProgress" | "onNotice">;

export type StoreRequest =
  | {
      readonly do: "open" | "pull" | "verify" | "candidates";
      readonly reference: string;
      readonly options: PostedOptions;
    }
  | { readonly do: "remove"; readonly reference: string }
  | { readonly do: "list" | "space" }
  | {
      readonly do: "read";
      readonly source: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly do: "beside"; readonly source: number; readonly name: string }
  | { readonly do: "whole" | "close"; readonly source: number };

export type ToStore =
  | (StoreRequest & { readonly id: number })
  | { readonly abort: number; readonly reason: string };

export type FromStore =
  | { readonly ready: true }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { readonly id: number; readonly progress: DownloadProgress }
  | { readonly id: number; readonly notice: string };

/** An opened source: `place` is where its file is, where it is whole already. */
export interface OpenedSource {
  readonly source: number;
  readonly name: string;
  readonly size: number;
  readonly place?: string;
}
