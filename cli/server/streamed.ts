/** Answers that are sent as they are made: the model is held until the stream's end, whatever ends it. */
import type { GenerateOptions } from "../../mod.ts";
import { isConstrained } from "./constraint.ts";
import { type Call, leaseOf } from "./context.ts";
import type { Fields } from "./fields.ts";
import type { Served } from "./host.ts";
import { checkedStream, eventStream, type ServerEvent } from "./sse.ts";

/** What is streamed. */
export interface Streaming {
  readonly events: (signal: AbortSignal) => AsyncIterable<ServerEvent>;
  /** The event that ends a stream which failed. */
  readonly failed: (error: unknown) => ServerEvent;
  /** What the answers are generated with: where they are held to a form, a form that cannot be enforced is a status. */
  readonly options: GenerateOptions;
}

/** Streams what `begin` makes of the request and the model that it names. */
export async function streamed(
  call: Call,
  body: Fields,
  begin: (served: Served) => Streaming,
): Promise<Response> {
  const { served, release } = await leaseOf(call, body.text("model"));
  try {
    const { events, failed, options } = begin(served);
    const stream = isConstrained(options) ? checkedStream : eventStream;
    const held = async function* (signal: AbortSignal): AsyncGenerator<ServerEvent> {
      try {
        yield* events(signal);
      } finally {
        release();
      }
    };
    const ping = body.number("sse_ping_interval", -1) ?? call.options.pingSeconds;
    return await stream(held, failed, ping, call.signal);
  } catch (error) {
    release();
    throw error;
  }
}
