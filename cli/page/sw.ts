/**
 * The service worker: the page's files without network, and `fetch("/v1/…")` answered by the engine of an open tab. It
 * computes nothing itself and imports nothing, as it is started anew for each burst of requests.
 */
import type { Forwarded, FromApp, ToApp } from "./engine/relay.ts";

/** Put in by the build: the page's files, and a name that changes with them. */
declare const FILES: readonly string[];
declare const RELEASE: string;

interface Client {
  readonly id: string;
  readonly url: string;
  postMessage(message: Forwarded, transfer: Transferable[]): void;
}
interface FetchEvent extends Event {
  readonly request: Request;
  respondWith(response: Response | Promise<Response>): void;
  waitUntil(work: Promise<unknown>): void;
}
interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
const scope = globalThis as unknown as {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window" }): Promise<readonly Client[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: never) => void): void;
};

const CACHE = `webgguf ${RELEASE}`;
const HOME = new URL("./", scope.registration.scope).href;

scope.addEventListener("install", (event: Lasting) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([HOME, ...FILES])));
});

scope.addEventListener("activate", (event: Lasting) => {
  const clean = async (): Promise<void> => {
    for (const name of await caches.keys())
      if (name.startsWith("webgguf ") && name !== CACHE) await caches.delete(name);
    await scope.clients.claim();
  };
  event.waitUntil(clean());
});

scope.addEventListener("message", ({ data }: MessageEvent) => {
  if (data === "update") void scope.skipWaiting();
});

scope.addEventListener("fetch", (event: FetchEvent) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  const api = url.pathname.indexOf("/v1/");
  if (api >= 0) return event.respondWith(forward(event, url, api));
  if (request.method !== "GET" || !url.href.startsWith(HOME)) return;
  event.respondWith(fromCache(request, url));
});

async function fromCache(request: Request, url: URL): Promise<Response> {
  const cache = await caches.open(CACHE);
  const home = request.mode === "navigate" && `${url.origin}${url.pathname}` === HOME;
  const kept = await cache.match(home ? HOME : request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  // The bundled model is fetched when it is first used, and then there without network.
  if (response.status === 200 && url.pathname.endsWith(".gguf"))
    await cache.put(url.href, response.clone());
  return response;
}

/** An error in OpenAI's form. */
const refuse = (status: number, message: string): Response =>
  Response.json(
    {
      error: { message, type: status === 503 ? "unavailable_error" : "server_error", code: status },
    },
    { status },
  );

/** Milliseconds within which a tab must take a request. */
const PATIENCE = 5000;

async function forward(event: FetchEvent, url: URL, api: number): Promise<Response> {
  const { request } = event;
  const body = ["GET", "HEAD"].includes(request.method) ? null : await request.arrayBuffer();
  const forwarded: Forwarded = {
    forward: {
      method: request.method,
      url: `${url.origin}${url.pathname.slice(api)}${url.search}`,
      headers: [...request.headers],
      body,
    },
  };
  const tabs = await scope.clients.matchAll({ type: "window" });
  for (const tab of tabs.filter(({ url }) => url.split(/[?#]/, 1)[0] === HOME)) {
    const { port1: port, port2 } = new MessageChannel();
    tab.postMessage(forwarded, [port2]);
    const response = await answerOn(port, event);
    if (response) return response;
  }
  return refuse(503, `No model is open here: open ${HOME} in a tab and load one`);
}

/** The answer that comes on a port; undefined where nobody takes the request. */
function answerOn(port: MessagePort, event: FetchEvent): Promise<Response | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(undefined), PATIENCE);
    const say = (message: ToApp): void => port.postMessage(message);
    let ended: () => void = () => {};
    let body: ReadableStreamDefaultController<Uint8Array>;
    // The worker stays until the answer is read.
    event.waitUntil(
      new Promise<void>((done) => {
        ended = done;
      }),
    );
    const leave = (): void => {
      say({ gone: true });
      port.close();
      ended();
    };
    event.request.signal.addEventListener("abort", leave);
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          body = controller;
        },
        pull: () => say({ more: true }),
        cancel: leave,
      },
      { highWaterMark: 0 },
    );
    port.onmessage = ({ data }: MessageEvent<FromApp>) => {
      if ("taken" in data) clearTimeout(late);
      else if ("status" in data) {
        const bare = [204, 205, 304].includes(data.status);
        const headers = data.headers.map(([name, value]): [string, string] => [name, value]);
        resolve(new Response(bare ? null : stream, { status: data.status, headers }));
        if (bare) ended();
      } else if ("chunk" in data) body.enqueue(data.chunk);
      else {
        if ("failed" in data) body.error(new TypeError(data.failed));
        else body.close();
        port.close();
        ended();
      }
    };
  });
}
