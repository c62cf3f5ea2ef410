/**
 * A request of a page on its way: the service worker takes `fetch("/v1/…")`, a tab hands the port on, and the engine
 * answers on it. Each side of the port says these.
 */

/** What the service worker asks a tab, with one port for the engine. */
export interface Forwarded {
  readonly forward: ForwardedRequest;
}

export interface ForwardedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: ArrayBuffer | null;
}

/** From the engine; a chunk comes for each `more`. */
export type FromApp =
  | { readonly taken: true }
  | { readonly status: number; readonly headers: readonly (readonly [string, string])[] }
  | { readonly chunk: Uint8Array }
  | { readonly done: true }
  | { readonly failed: string };

/** From the service worker. */
export type ToApp = { readonly more: true } | { readonly gone: true };
