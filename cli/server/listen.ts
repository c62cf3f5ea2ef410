/** Listens on a port, with Node's HTTP server or Deno's. */
import type { App } from "./app.ts";

export interface Listening {
  readonly port: number;
  /** Takes no more requests; resolves when those under way are answered, or after `ms`. */
  close(ms: number): Promise<void>;
}

export interface ListenOptions {
  readonly hostname: string;
  /** 0 = any that is free. */
  readonly port: number;
  /** Seconds that a request's head and body may take. */
  readonly timeout: number;
}

/** What is used of Deno. */
interface DenoServer {
  readonly addr: { readonly port: number };
  shutdown(): Promise<void>;
}
interface DenoServe {
  serve(
    options: { hostname: string; port: number; onListen(): void },
    handler: (request: Request) => Response | Promise<Response>,
  ): DenoServer;
}

/** Whether this is Deno, whose GPU waits on the thread that asks: there the engine is in a worker. */
export const isDeno = (): boolean => "Deno" in globalThis;

export function listen(app: App, options: ListenOptions): Promise<Listening> {
  return isDeno() ? listenDeno(app, options) : listenNode(app, options);
}

async function listenDeno(app: App, { hostname, port }: ListenOptions): Promise<Listening> {
  const { Deno } = globalThis as unknown as { Deno: DenoServe };
  const server = Deno.serve({ hostname, port, onListen() {} }, (request) => app.fetch(request));
  return {
    port: server.addr.port,
    close: (ms) => Promise.race([server.shutdown(), later(ms)]),
  };
}

async function listenNode(
  app: App,
  { hostname, port, timeout }: ListenOptions,
): Promise<Listening> {
  const [{ createAdaptorServer }, { Server }] = await Promise.all([
    import("@hono/node-server"),
    import("node:http"),
  ]);
  const server = createAdaptorServer({
    fetch: (request) => app.fetch(request),
    overrideGlobalObjects: false,
  });
  if (!(server instanceof Server)) throw new Error("Not an HTTP/1 server");
  server.headersTimeout = Math.min(timeout, 60) * 1000;
  server.requestTimeout = timeout * 1000;
  server.keepAliveTimeout = 5000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? port) : port,
    async close(ms) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, later(ms)]);
      server.closeAllConnections();
    },
  };
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
