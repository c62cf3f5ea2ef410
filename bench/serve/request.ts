/** One streamed request to a server of OpenAI's API, and when what of its answer came. */

/** What is sent. */
export interface Target {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of every request's body. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly fetch: typeof fetch;
}

/** What one request took, in milliseconds. */
export interface Measured {
  readonly ok: boolean;
  readonly error?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** When it was sent and when it had ended, on one clock for all. */
  readonly sent: number;
  readonly ended: number;
  /** Until the first text. */
  readonly ttft: number;
  /** Between texts that follow one another. */
  readonly itl: readonly number[];
}

/** Sends a prompt of `words` words and reads the answer to its end; what goes wrong is in the result. */
export async function ask(target: Target, prompt: string, words: number): Promise<Measured> {
  const sent = performance.now();
  const itl: number[] = [];
  let ttft = 0;
  let last = sent;
  let usage: { prompt_tokens?: number; completion_tokens?: number } | undefined;
  const result = (ok: boolean, error?: string): Measured => ({
    ...{ ok, sent, ttft, itl, ended: performance.now() },
    ...(error !== undefined && { error }),
    // Servers that tell no usage are counted by what came: a text a token.
    inputTokens: usage?.prompt_tokens ?? words,
    outputTokens: usage?.completion_tokens ?? (ttft > 0 ? itl.length + 1 : 0),
  });
  try {
    const chat = target.url.pathname.endsWith("/chat/completions");
    const response = await target.fetch(target.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...target.headers },
      body: JSON.stringify({
        ...target.body,
        ...(chat ? { messages: [{ role: "user", content: prompt }] } : { prompt }),
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    if (!response.ok || !response.body)
      return result(false, `${response.status} ${(await response.text()).slice(0, 200)}`);
    for await (const data of eventData(response.body)) {
      if (data === "[DONE]") break;
      const event = JSON.parse(data);
      if (event.error) return result(false, JSON.stringify(event.error).slice(0, 200));
      usage = event.usage ?? usage;
      if (!hasText(event.choices?.[0])) continue;
      const now = performance.now();
      if (ttft === 0) ttft = now - sent;
      else itl.push(now - last);
      last = now;
    }
    return ttft > 0 ? result(true) : result(false, "The answer has no text");
  } catch (error) {
    return result(false, String((error as Error).message));
  }
}

/** Whether a chunk of either endpoint brings something of the answer. */
function hasText(choice: Record<string, unknown> | undefined): boolean {
  const delta = Object(choice?.delta);
  return Boolean(
    choice?.text || delta.content || delta.reasoning_content || delta.reasoning || delta.tool_calls,
  );
}

/** The data of each event; comments are passed over. */
async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as never).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r?\n/);
      rest = lines.pop()!;
      for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
