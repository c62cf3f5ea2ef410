/** Pauses between tries, and what waiting leaves behind on a signal. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Retryable, settle, withRetries } from "../../src/bytes/retry.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Milliseconds that pass until the promise settles. */
async function waited(promise: Promise<unknown>): Promise<number> {
  let end: number | undefined;
  const start = Date.now();
  promise.finally(() => {
    end = Date.now() - start;
  });
  await vi.runAllTimersAsync();
  await promise;
  return end as number;
}

describe("the pause before another try", () => {
  const options = { retries: 12, firstPause: 100 };

  it("doubles with each failure, to 30 seconds at most", async () => {
    const retry = withRetries("x", options, undefined);
    const pauses: number[] = [];
    for (let i = 0; i < 11; i++) pauses.push(await waited(retry.after(new Error("no"), 0)));
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
  });

  it("is short again after progress", async () => {
    const retry = withRetries("x", options, undefined);
    await waited(retry.after(new Error("no"), 0));
    await waited(retry.after(new Error("no"), 0));
    retry.reset();
    expect(await waited(retry.after(new Error("no"), 0))).toBe(100);
  });

  it("is as long as the server asks for, but never longer than 30 seconds or shorter than ours", async () => {
    const pauseFor = (pause: number): Promise<number> =>
      waited(withRetries("x", options, undefined).after(new Retryable("HTTP 503", pause), 0));
    expect(await pauseFor(7000)).toBe(7000);
    expect(await pauseFor(24 * 3600 * 1000)).toBe(30_000);
    expect(await pauseFor(1)).toBe(100);
  });

  it("ends with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = withRetries("x", options, controller.signal).after(new Error("no"), 0);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("waiting", () => {
  /** A signal that knows how many listeners it has. */
  function counted(): {
    signal: AbortSignal;
    controller: AbortController;
    listeners: () => number;
  } {
    const controller = new AbortController();
    const { signal } = controller;
    const found = new Set<unknown>();
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      found.add(args[1]);
      add.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      found.delete(args[1]);
      remove.apply(signal, args);
    };
    return { signal, controller, listeners: () => found.size };
  }

  it("leaves no listener on the signal and no timer, however it ends", async () => {
    const { signal, controller, listeners } = counted();
    await settle(Promise.resolve(1), signal, 1000);
    await expect(settle(Promise.reject(new Error("no")), signal, 1000)).rejects.toThrow("no");
    const silent = settle(new Promise(() => {}), signal, 1000);
    expect(listeners()).toBe(1);
    const refused = expect(silent).rejects.toThrow("nothing came for 1 seconds");
    await vi.advanceTimersByTimeAsync(1000);
    await refused;
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0]);
    const aborted = settle(new Promise(() => {}), signal, 1000);
    controller.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await expect(settle(new Promise(() => {}), signal, 1000)).rejects.toThrow("enough");
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });
});
