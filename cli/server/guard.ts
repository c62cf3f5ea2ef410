/** Who may call: by name of the host, by origin of the page, by key. */
import type { ServerOptions } from "./context.ts";
import { ApiError } from "./errors.ts";

/** Headers that pages may send. */
const HEADERS = "authorization, content-type, x-api-key, anthropic-version, x-conversation-id";

const isAddress = (host: string): boolean =>
  /^\[[0-9a-f:.]+\]$/i.test(host) || /^\d+\.\d+\.\d+\.\d+$/.test(host);
const isLocal = (host: string): boolean => host === "localhost" || host.endsWith(".localhost");

/**
 * Refuses names that the server is not called by: a page of a foreign site whose name was made to mean
 * this machine (DNS rebinding) comes with its own name. Addresses cannot be rebound.
 */
export function checkHost(request: Request, url: URL, { allowedHosts }: ServerOptions): void {
  const host = (request.headers.get("host") ?? url.host).replace(/:\d+$/, "").toLowerCase();
  const known =
    isAddress(host) || isLocal(host) || allowedHosts.some((one) => one === "*" || one === host);
  if (!known)
    throw new ApiError(
      403,
      `Host ${JSON.stringify(host).slice(0, 100)} is not allowed; the server's --allowed-hosts names those that are`,
    );
}

/** The origin to allow; undefined where the caller is no page. Refuses foreign ones. */
export function checkOrigin(request: Request, { corsOrigins }: ServerOptions): string | undefined {
  const origin = request.headers.get("origin");
  if (origin === null) return undefined;
  const known = corsOrigins.includes("*") || corsOrigins.includes(origin) || isOwnMachine(origin);
  if (!known)
    throw new ApiError(
      403,
      `Origin ${JSON.stringify(origin).slice(0, 100)} is not allowed; the server's --cors-origins names those that are`,
    );
  return origin;
}

function isOwnMachine(origin: string): boolean {
  try {
    const { hostname } = new URL(origin);
    return isLocal(hostname) || hostname === "127.0.0.1" || hostname === "[::1]";
  } catch {
    return false;
  }
}

export const corsHeaders = (origin: string | undefined): Record<string, string> =>
  origin === undefined
    ? {}
    : {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": "600",
        Vary: "Origin",
      };

/** Refuses a request without one of the keys. How long it takes does not depend on how much of a key is right. */
export async function checkKey(request: Request, { apiKeys }: ServerOptions): Promise<void> {
  if (apiKeys.length === 0) return;
  const given =
    request.headers.get("x-api-key") ??
    /^Bearer (.*)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ??
    "";
  const own = await digest(given);
  let found = 0;
  for (const key of apiKeys) {
    const other = await digest(key);
    let difference = 0;
    for (let i = 0; i < own.length; i++) difference |= own[i] ^ other[i];
    found |= Number(difference === 0);
  }
  if (found === 0) throw new ApiError(401, "Invalid API key");
}

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
