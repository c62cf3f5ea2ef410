/** Trying again with growing pauses, and waiting that a signal or a silence can end. */
import { WebggufError } from "../base/errors.ts";

export interface RetryOptions {
  /** Tries after the first without a byte of progress. Default 5. */
  readonly retries?: number;
  /** Milliseconds before the second try; each further pause is twice as long. Default 250. */
  readonly firstPause?: number;
  /** Milliseconds of silence after which a connection counts as broken. Default 60,000. */
  readonly silence?: number;
  /** Told why there is a wait. */
  readonly onNotice?: (text: string) => void;
}

/** Default of {@link RetryOptions.silence}. */
export const defaultSilence = 60_000;

/** Longest pause in milliseconds, whatever the server asks for. */
export const longestPause = 30_000;

/** A failure worth another try, with the pause that the server asked for. */
export class Retryable extends Error {
  readonly pause: number;
  constructor(message: string, pause: number = 0) {
    super(message);
    this.pause = pause;
  }
}

/**
 * Settles as `promise` does, unless the signal aborts (its reason) or `silence` milliseconds pass first
 * (never, when undefined).
 */
export function settle<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  silence: number | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      act();
    };
    const stop = (): void => finish(() => reject(signal?.reason));
    const late = (): void =>
      finish(() => reject(new Error(`nothing came for ${(silence ?? 0) / 1000} seconds`)));
    const timer = silence === undefined ? undefined : setTimeout(late, silence);
    promise.then(
      (value) => finish(() => resolve(value)),
      (error) => finish(() => reject(error)),
    );
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
  });
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waiting = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return settle(waiting, signal, undefined).finally(() => clearTimeout(timer));
}

/** What a failed fetch says where another try fails the same way: hosts that do not exist, certificates, addresses. */
const HOPELESS =
  /ENOTFOUND|CERT|SELF_SIGNED|VERIFY_|ERR_(SSL|TLS|INVALID)|EPROTO|certificate|dns error|scheme|bad port|redirect|invalid URL/i;

/** An error with those under it, as text without addresses: they may hold passwords. */
function reasonOf(error: unknown): string {
  const { code = "", message, cause } = Object(error) as Error & { code?: string };
  const own = String(message ?? error).replace(/\bhttps?:\/\/[^\s)]*/gi, "the address");
  const coded = own.includes(code) ? own : `${own} (${code})`;
  const inner = cause === undefined ? "" : reasonOf(cause);
  return inner === "" || own === "" ? inner || coded : `${own}: ${inner}`;
}

/** Counts failures in a row. */
export interface Retry {
  /** There was progress: start counting again. */
  reset(): void;
  /**
   * Waits before the next try. Throws instead what no further try can help: a typed error, the signal's
   * reason, or `source/network` when the tries are used up.
   */
  after(error: unknown, offset: number): Promise<void>;
}

/** Tries after the first where no answer has ever come. */
const OPENING_RETRIES = 2;

/** A counter of failures for one piece of work; `name` is the URL in its errors. */
export function withRetries(
  name: string,
  options: RetryOptions,
  signal: AbortSignal | undefined,
  opening = false,
): Retry {
  const { retries = 5, firstPause = 250 } = options;
  const unanswered = opening ? Math.min(retries, OPENING_RETRIES) : retries;
  let failures = 0;
  return {
    reset() {
      failures = 0;
    },
    async after(error, offset) {
      signal?.throwIfAborted();
      if (error instanceof WebggufError) throw error;
      const reason = reasonOf(error);
      // What was there may be gone for a while; what never was will not come.
      const hopeless = offset === 0 && HOPELESS.test(reason);
      if (hopeless || failures >= (error instanceof Retryable ? retries : unanswered)) {
        const often = hopeless ? "" : `, ${failures + 1} times in a row at byte ${offset}`;
        throw new WebggufError(
          "source/network",
          `Cannot read ${name}: ${reason}${often}; check the ${hopeless ? "address" : "connection and try again"}`,
          { file: name, offset },
        );
      }
      if (failures === 0) options.onNotice?.(`Waiting for ${name}: ${reason}; trying again`);
      const asked = error instanceof Retryable ? error.pause : 0;
      await pause(Math.min(longestPause, Math.max(asked, firstPause * 2 ** failures)), signal);
      failures++;
    },
  };
}
