/** A web server as a function, with faults on request. */

export interface Faults {
  /** Answers without regard to Range. */
  ranges?: boolean;
  etag?: string;
  modified?: string;
  /** Ends or breaks the body of the next answers after so many bytes, one entry an answer. */
  cuts?: { after: number; how: "error" | "end" }[];
  /** Statuses of the next answers. */
  statuses?: number[];
  /** Whether Content-Range is hidden, as from another origin. */
  hidden?: boolean;
  /** Bytes a piece of a body. */
  piece?: number;
}

export interface FakeServer {
  readonly fetch: typeof fetch;
  /** Range header of each request, "whole" without one, "HEAD" for those. */
  readonly requests: string[];
  /** Bytes handed out in bodies. */
  sent: number;
  /** Bodies that neither ended nor were given up. */
  open: number;
  content: Uint8Array<ArrayBuffer>;
  faults: Faults;
}

export function fakeServer(content: Uint8Array<ArrayBuffer>, faults: Faults = {}): FakeServer {
  const server: FakeServer = {
    fetch: answer as typeof fetch,
    requests: [],
    sent: 0,
    open: 0,
    content,
    faults,
  };

  function bodyOf(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal | null | undefined) {
    const cut = server.faults.cuts?.shift();
    let at = 0;
    let open = true;
    const end = (): void => {
      if (open) server.open--;
      open = false;
    };
    server.open++;
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        cancel: end,
        start(controller) {
          signal?.addEventListener("abort", () => {
            if (open) controller.error(signal.reason);
            end();
          });
        },
        pull(controller) {
          const most = cut ? Math.min(bytes.length, cut.after) : bytes.length;
          if (at < most) {
            const piece = bytes.slice(at, Math.min(most, at + (server.faults.piece ?? 1000)));
            at += piece.length;
            server.sent += piece.length;
            return controller.enqueue(piece);
          }
          end();
          if (cut?.how === "error") controller.error(new TypeError("terminated"));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async function answer(_url: string, init: RequestInit = {}): Promise<Response> {
    init.signal?.throwIfAborted();
    const { ranges = true, etag, modified, statuses, hidden } = server.faults;
    const size = server.content.length;
    const range = new Headers(init.headers).get("range");
    server.requests.push(init.method === "HEAD" ? "HEAD" : (range ?? "whole"));
    const status = statuses?.shift();
    if (status !== undefined && status !== 200) return new Response("no", { status });
    const headers = new Headers();
    if (etag) headers.set("etag", etag);
    if (modified) headers.set("last-modified", modified);
    if (init.method === "HEAD") {
      headers.set("content-length", String(size));
      return new Response(null, { headers });
    }
    if (!ranges || !range) {
      headers.set("content-length", String(size));
      return new Response(bodyOf(server.content, init.signal), { headers });
    }
    const [from, to] = range.slice("bytes=".length).split("-").map(Number);
    if (from >= size) {
      headers.set("content-range", `bytes */${size}`);
      return new Response("no such range", { status: 416, headers });
    }
    const end = Math.min(size, to + 1);
    if (!hidden) headers.set("content-range", `bytes ${from}-${end - 1}/${size}`);
    return new Response(bodyOf(server.content.slice(from, end), init.signal), {
      status: 206,
      headers,
    });
  }
  return server;
}

/** Bytes that tell their own place. */
export function countingBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);
}
