/** The HTTP app of `webgguf serve` beside the engine: requests come over ports, and so do the answers. */
import { createApp } from "../../server/app.ts";
import type { Host } from "../../server/host.ts";
import { version } from "../../version.ts";
import type { ForwardedRequest, FromApp, ToApp } from "./relay.ts";

interface Port {
  postMessage(message: FromApp): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  start(): void;
  close(): void;
}

const options = {
  apiKeys: [],
  // Requests come from pages of this origin alone.
  allowedHosts: ["*"],
  corsOrigins: ["*"],
  pingSeconds: 15,
  slots: true,
  metrics: false,
  maxBody: 32 * 2 ** 20,
  bodyTimeout: 600_000,
  version,
};

const nothingLoaded = (): Response => {
  const message = "No model is loaded: load one in a tab of the page";
  return Response.json(
    { error: { message, type: "unavailable_error", code: 503 } },
    { status: 503 },
  );
};

/** Answers one request; a port that is closed, or says that its reader has gone, ends the work. */
export async function answerRequest(
  host: Host | undefined,
  { method, url, headers, body }: ForwardedRequest,
  port: Port,
): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort(new DOMException("The client left", "AbortError"));
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const next = async (): Promise<void> => {
    try {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      port.postMessage(done || !value ? { done: true } : { chunk: value });
      if (done) port.close();
    } catch (error) {
      port.postMessage({ failed: (error as Error).message });
      port.close();
    }
  };
  port.addEventListener("message", (event) => {
    const message = (event as MessageEvent<ToApp>).data;
    if ("more" in message) return void next();
    leave();
    void reader?.cancel().catch(() => {});
    port.close();
  });
  port.addEventListener("close", () => {
    leave();
    void reader?.cancel().catch(() => {});
  });
  port.start();
  port.postMessage({ taken: true });
  const request = new Request(url, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body,
    signal: gone.signal,
  });
  const response = host ? await createApp(host, options).fetch(request) : nothingLoaded();
  reader = response.body?.getReader();
  port.postMessage({ status: response.status, headers: [...response.headers] });
}
