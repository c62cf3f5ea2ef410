/** What the handlers of requests are given. */
import type { BodyLimits } from "./fields.ts";
import type { Host, Lease } from "./host.ts";
import type { KeptStreams } from "./resume.ts";

export interface ServerOptions extends BodyLimits {
  /** Keys of which one must be given; none = everybody may. */
  readonly apiKeys: readonly string[];
  /** Names by which the server may be called, besides addresses and localhost; `*` = any. */
  readonly allowedHosts: readonly string[];
  /** Origins whose pages may call, besides those of this machine; `*` = any. */
  readonly corsOrigins: readonly string[];
  /** Seconds between two pings of a stream that says nothing; 0 = none. */
  readonly pingSeconds: number;
  /** Whether `/slots` and `/metrics` answer. */
  readonly slots: boolean;
  readonly metrics: boolean;
  readonly version: string;
  /** Called with each request that was answered; nothing in it is of a prompt or an answer. */
  readonly log?: (line: Readonly<Record<string, unknown>>) => void;
}

/** One request as a handler sees it. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly host: Host;
  readonly options: ServerOptions;
  readonly streams: KeptStreams;
  /** Aborted when the client leaves before it has its answer, or the server stops. */
  readonly signal: AbortSignal;
  readonly params: Readonly<Record<string, string>>;
}

/** Answers a call. */
export type Handler = (call: Call) => Promise<Response> | Response;

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8", ...headers },
  });

/** The model of that name; `?autoload=` says whether it may be loaded for the request. */
export function leaseOf({ host, url, signal }: Call, name: string | undefined): Promise<Lease> {
  const autoload = url.searchParams.get("autoload");
  return host.lease(name, signal, autoload === null ? undefined : /^(1|true)$/.test(autoload));
}

/** Runs `work` with a model and lets go of it when the response is made; a stream keeps it until its end. */
export async function withLease<T>(
  call: Call,
  name: string | undefined,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await leaseOf(call, name);
  try {
    return await work(lease);
  } finally {
    lease.release();
  }
}

/** Seconds since 1970. */
export const now = (): number => Math.floor(Date.now() / 1000);

/** An id that no other answer has. */
export const newId = (prefix: string): string =>
  prefix + crypto.randomUUID().replaceAll("-", "").slice(0, 24);
