/** Where requests of a model go: redirects, addresses that expire, credentials; and what is no file. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { httpSource } from "../../src/bytes/http.ts";
import { countingBytes, fakeServer } from "./fake-server.ts";

const content = countingBytes(5000);
const home = "https://models.example/resolve/model.gguf";
const quick = { retries: 3, firstPause: 1 };

interface Asked {
  readonly url: string;
  readonly authorization: string | null;
}

/** Redirects from `home` to signed addresses, each valid until `expire` is called. */
function redirecting() {
  const files = fakeServer(content);
  const asked: Asked[] = [];
  let signature = 1;
  const fetch = (async (url: string, init: RequestInit = {}) => {
    asked.push({ url, authorization: new Headers(init.headers).get("authorization") });
    if (new URL(url).origin === new URL(home).origin)
      return new Response(null, {
        status: 302,
        headers: { location: `https://cdn.example/f?X-Amz-Signature=${signature}` },
      });
    if (!url.endsWith(`=${signature}`)) return new Response("expired", { status: 403 });
    return files.fetch(url, init);
  }) as typeof globalThis.fetch;
  return { fetch, asked, expire: () => void signature++ };
}

async function failure(promise: Promise<unknown>): Promise<WebggufError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WebggufError);
  return error as WebggufError;
}

describe("redirects", () => {
  it("are followed once, until the address they led to expires", async () => {
    const { fetch, asked, expire } = redirecting();
    const source = await httpSource(home, { fetch, ...quick });
    expect(await source.read(10, 20)).toEqual(content.slice(10, 30));
    expect(asked.map(({ url }) => new URL(url).host)).toEqual([
      "models.example",
      "cdn.example",
      "cdn.example",
    ]);
    expire();
    expect(await source.read(5, 4)).toEqual(content.slice(5, 9));
    expect(await source.read(1, 2)).toEqual(content.slice(1, 3));
    expect(asked.slice(3).map(({ url }) => url.replace(/.*\/\//, ""))).toEqual([
      "cdn.example/f?X-Amz-Signature=1",
      "models.example/resolve/model.gguf",
      "cdn.example/f?X-Amz-Signature=2",
      "cdn.example/f?X-Amz-Signature=2",
    ]);
  });

  it.each(["/resolve/model.gguf", "ftp://x.example/", "http://[bad"])(
    "to %j end after ten, without another try",
    async (location) => {
      let requests = 0;
      const fetch = (async () => {
        requests++;
        return new Response(null, { status: 302, headers: { location } });
      }) as typeof globalThis.fetch;
      const error = await failure(httpSource(home, { fetch, ...quick }));
      expect(error.code).toBe("source/network");
      expect(error.message).toContain("redirects");
      expect(requests).toBe(location.startsWith("/") ? 11 : 1);
    },
  );
});

describe("credentials", () => {
  const secret = "https://us%65r:s%C3%A9cret@models.example/resolve/model.gguf?token=hush";
  const hidden = /s%C3|sécret|user|us%65r|hush|Signature|Basic|@/;

  it("go to their own origin as a header, and nowhere else", async () => {
    const { fetch, asked } = redirecting();
    const source = await httpSource(secret, { fetch, ...quick });
    expect(source.name).toBe(home);
    const [first, second] = asked;
    expect(first.url).toBe(`${home}?token=hush`);
    const bytes = Uint8Array.from(atob((first.authorization ?? "").slice(6)), (c) =>
      c.charCodeAt(0),
    );
    expect(new TextDecoder().decode(bytes)).toBe("user:sécret");
    expect(second.authorization).toBe(null);
  });

  it("stand in no message, whatever fails", async () => {
    const failing = (fail: (url: string) => Response | Error) =>
      (async (url: string) => {
        const result = fail(url);
        if (result instanceof Error) throw result;
        return result;
      }) as unknown as typeof globalThis.fetch;
    const notices: string[] = [];
    for (const fail of [
      ...[400, 401, 403, 404, 500].map((status) => () => new Response("no", { status })),
      (url: string) => new TypeError(`error sending request for url (${url}): refused`),
      (url: string) =>
        new TypeError("fetch failed", { cause: new Error(`connect to ${url} refused`) }),
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
      () => new Response(null, { status: 302, headers: { location: secret } }),
    ]) {
      const fetch = failing(fail);
      const onNotice = (text: string): void => void notices.push(text);
      const error = await failure(httpSource(secret, { fetch, onNotice, ...quick }));
      expect(error.message).toContain(home);
      expect(hidden.test(`${error.message} ${error.file} ${error.cause}`)).toBe(false);
    }
    expect(notices.length).toBeGreaterThan(2);
    expect(hidden.test(notices.join())).toBe(false);
  });
});

describe("what cannot succeed", () => {
  it.each([
    { message: "fetch failed", code: "ENOTFOUND" },
    { message: "fetch failed", code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    { message: "fetch failed", code: "ERR_TLS_CERT_ALTNAME_INVALID" },
    { message: "client error (Connect): invalid peer certificate: UnknownIssuer", code: "" },
    { message: "client error (Connect): dns error: failed to lookup", code: "" },
  ])("is not tried again: $message $code", async ({ message, code }) => {
    let requests = 0;
    const fetch = (async () => {
      requests++;
      throw new TypeError(message, { cause: Object.assign(new Error("no"), { code }) });
    }) as typeof globalThis.fetch;
    const error = await failure(httpSource(home, { fetch, ...quick }));
    expect([error.code, requests]).toEqual(["source/network", 1]);
    expect(error.message).toContain(code || message.slice(-10));
  });

  it("is tried twice more where nobody answers, with a word before", async () => {
    let requests = 0;
    const notices: string[] = [];
    const fetch = (async () => {
      requests++;
      throw new TypeError("connection refused");
    }) as typeof globalThis.fetch;
    const onNotice = (text: string): void => void notices.push(text);
    await failure(httpSource(home, { fetch, ...quick, retries: 5, onNotice }));
    expect(requests).toBe(3);
    expect(notices).toEqual([`Waiting for ${home}: connection refused; trying again`]);
  });

  it("says within two seconds that a server is silent", async () => {
    const notices: string[] = [];
    // A timer that is due later fires later, on a busy machine too.
    let late = false;
    const timer = setTimeout(() => (late = true), 2000);
    const controller = new AbortController();
    const fetch = (() => new Promise(() => {})) as typeof globalThis.fetch;
    const opening = httpSource(home, {
      fetch,
      signal: controller.signal,
      onNotice(text) {
        notices.push(text);
        controller.abort("enough");
      },
    });
    await expect(opening).rejects.toBe("enough");
    clearTimeout(timer);
    expect(late).toBe(false);
    expect(notices).toEqual([`Waiting for ${home} to answer`]);
  });

  it("is a web page", async () => {
    for (const status of [200, 206]) {
      const headers = { "content-type": "text/html; charset=utf-8", "content-length": "5" };
      const fetch = (async () =>
        new Response("<html", { status, headers })) as typeof globalThis.fetch;
      const error = await failure(httpSource(home, { fetch, ...quick }));
      expect(error.message).toContain("web page (text/html)");
    }
  });
});
