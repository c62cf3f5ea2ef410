/** Server-sent events: a stream of them whose end stops the work, with pings while nothing is said. */

/** One event: its data as JSON (or a text as it is), and its name where it has one. */
export interface ServerEvent {
  readonly event?: string;
  readonly data: unknown;
}

const encoder = new TextEncoder();

/** An event as it is written. */
export const written = ({ event, data }: ServerEvent): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

/**
 * As {@link eventStream}, but waits for the first event, so that what is wrong with the request is a status.
 */
export async function checkedStream(
  run: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
  failed: (error: unknown) => ServerEvent,
  pingSeconds: number,
  leaving: AbortSignal,
): Promise<Response> {
  const stop = new AbortController();
  const leave = (): void => stop.abort(leaving.reason);
  leaving.addEventListener("abort", leave);
  const events = run(stop.signal)[Symbol.asyncIterator]();
  let first: IteratorResult<ServerEvent>;
  try {
    first = await events.next();
  } finally {
    leaving.removeEventListener("abort", leave);
  }
  const rest = async function* (signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const end = (): void => stop.abort(signal.reason);
    signal.addEventListener("abort", end);
    try {
      for (let next = first; !next.done; next = await events.next()) yield next.value;
    } finally {
      await events.return?.();
    }
  };
  return eventStream(rest, failed, pingSeconds);
}

/**
 * The response that sends the events of `run`. The signal of `run` is aborted when the client leaves.
 * An error ends the stream with the event that `failed` makes of it: the status has been sent.
 */
export function eventStream(
  run: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
  failed: (error: unknown) => ServerEvent,
  pingSeconds: number,
): Response {
  const gone = new AbortController();
  let timer: ReturnType<typeof setInterval> | undefined;
  let wake: (() => void) | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      async start(controller) {
        let said = performance.now();
        const send = (text: string): void => {
          said = performance.now();
          controller.enqueue(encoder.encode(text));
        };
        if (pingSeconds > 0)
          timer = setInterval(() => {
            if (performance.now() - said >= pingSeconds * 900) send(": ping\n\n");
          }, pingSeconds * 1000);
        void (async () => {
          try {
            for await (const event of run(gone.signal)) {
              if (gone.signal.aborted) break;
              send(written(event));
              // A client that reads slowly holds its own answer back, not the memory.
              while ((controller.desiredSize ?? 1) <= 0 && !gone.signal.aborted)
                await new Promise<void>((resolve) => {
                  wake = resolve;
                });
            }
          } catch (error) {
            if (!gone.signal.aborted) send(written(failed(error)));
          } finally {
            clearInterval(timer);
            if (!gone.signal.aborted) controller.close();
          }
        })();
      },
      pull() {
        wake?.();
      },
      cancel() {
        clearInterval(timer);
        gone.abort(new DOMException("The client left", "AbortError"));
        wake?.();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 1 << 16 }),
  );
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache",
      "X-Accel-Buffering": "no",
    },
  });
}
