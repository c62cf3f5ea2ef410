/**
 * The server as an app on web standards: a request in, a response out. Node, Deno and a page run the same one.
 */
import { Hono } from "hono";
import type { Call, ServerOptions } from "./context.ts";
import { ApiError, anthropicErrorBody, asApiError, errorBody } from "./errors.ts";
import { checkHost, checkKey, checkOrigin, corsHeaders } from "./guard.ts";
import type { Host } from "./host.ts";
import { KeptStreams } from "./resume.ts";
import { type Route, routes } from "./routes.ts";

export interface App {
  fetch(request: Request): Promise<Response> | Response;
}

/** The app that answers for the models of `host`. */
export function createApp(host: Host, options: ServerOptions): App {
  const app = new Hono();
  const streams = new KeptStreams();
  for (const route of routes)
    for (const path of route.paths)
      app.on(route.method, path, (context) =>
        answer(route, context.req.raw, context.req.param(), { host, options, streams }),
      );
  app.all("*", (context) => unknown(context.req.raw, options));
  return { fetch: (request) => app.fetch(request) };
}

async function answer(
  route: Route,
  request: Request,
  params: Readonly<Record<string, string>>,
  server: Pick<Call, "host" | "options" | "streams">,
): Promise<Response> {
  const { options, streams } = server;
  const url = new URL(request.url);
  const started = performance.now();
  let origin: string | undefined;
  let response: Response;
  // A runtime may abort the signal of a request that was answered: that is nobody's leaving.
  const gone = new AbortController();
  const leave = (): void => gone.abort(new DOMException("The client left", "AbortError"));
  const client = request.signal;
  client.addEventListener("abort", leave);
  try {
    checkHost(request, url, options);
    origin = checkOrigin(request, options);
    if (!route.open) await checkKey(request, options);
    response = await route.handler({ request, url, ...server, signal: gone.signal, params });
    const conversation = request.headers.get("x-conversation-id");
    const isStream = response.headers.get("content-type") === "text/event-stream";
    if (conversation !== null && isStream && route.method === "POST")
      response = streams.keep(conversation, response);
  } catch (error) {
    if (!(error instanceof ApiError) && asApiError(error).status === 500 && !gone.signal.aborted)
      options.log?.({
        level: "error",
        path: url.pathname,
        error: String((error as Error)?.stack ?? error),
      });
    response = refusal(error, route.form);
  } finally {
    client.removeEventListener("abort", leave);
  }
  for (const [name, value] of Object.entries(corsHeaders(origin)))
    response.headers.set(name, value);
  options.log?.({
    level: "info",
    method: request.method,
    path: url.pathname,
    status: response.status,
    ms: Math.round(performance.now() - started),
  });
  return response;
}

/** A path or a method that there is not, and what browsers ask before a request. */
async function unknown(request: Request, options: ServerOptions): Promise<Response> {
  const url = new URL(request.url);
  const known = routes.filter(({ paths }) => paths.includes(url.pathname));
  const form = known[0]?.form ?? (url.pathname.startsWith("/v1/") ? "openai" : "native");
  try {
    checkHost(request, url, options);
    const origin = checkOrigin(request, options);
    if (request.method === "OPTIONS")
      return new Response(null, { status: 204, headers: corsHeaders(origin) });
    if (known.length === 0) throw new ApiError(404, `There is no ${url.pathname.slice(0, 200)}`);
    const methods = [...new Set(known.map(({ method }) => method))].join(", ");
    const response = refusal(
      new ApiError(405, `${url.pathname} takes ${methods}, not ${request.method}`),
      form,
    );
    response.headers.set("Allow", methods);
    return response;
  } catch (error) {
    return refusal(error, form);
  }
}

function refusal(error: unknown, form: Route["form"]): Response {
  const known = asApiError(error);
  const body =
    form === "anthropic" ? anthropicErrorBody(known) : errorBody(known, form === "native");
  return new Response(JSON.stringify(body), {
    status: known.status,
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      ...(known.retryAfter !== undefined && { "Retry-After": String(known.retryAfter) }),
    },
  });
}
