/**
 * A hub on this machine: refs, tree, and resolve, which redirects to a second port as the hub's does to its CDN. Its
 * CORS headers are the hub's: no preflight is answered, and no ETag can be read. It slows down, cuts and lies on request.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/** A file: all of its bytes, or how to make those of a range. */
export interface FakeFile {
  readonly size: number;
  readonly sha256: string;
  bytes(from: number, to: number): Uint8Array;
}

export function fakeFile(content: Uint8Array): FakeFile {
  return {
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
    bytes: (from, to) => content.subarray(from, to),
  };
}

export interface Faults {
  /** Milliseconds before each answer. */
  latency?: number;
  /** Bytes a second of all bodies together. */
  rate?: number;
  /** Ends the connection after so many bytes of a body, one entry a body; undefined leaves one alone. */
  cuts?: (number | undefined)[];
  /** Answers without regard to Range. */
  noRanges?: boolean;
  /** Answers with these statuses (and headers) first, wherever the path matches. */
  answers?: { path: RegExp; status: number; headers?: Record<string, string>; body?: string }[];
  /** Compresses bodies. */
  gzip?: boolean;
  /** Never ends a body. */
  endless?: boolean;
  /** Says fewer or more bytes than there are. */
  wrongLength?: number;
  /** The ETag; a function is asked each time. */
  etag?: string | (() => string);
  /** Redirects to itself. */
  loop?: boolean;
  /** A token that is wanted. */
  token?: string;
}

export interface Repo {
  readonly branches: Record<string, string>;
  readonly tags?: Record<string, string>;
  readonly commits: Record<string, Record<string, FakeFile>>;
}

export interface FakeHub {
  /** Its address. */
  readonly endpoint: string;
  readonly cdn: string;
  readonly repos: Record<string, Repo>;
  faults: Faults;
  /** Method, path and range of all requests. */
  readonly requests: string[];
  /** Bytes handed out. */
  sent: number;
  /** Listens on no port any more, until `listen`. */
  close(): Promise<void>;
}

export const COMMIT: string = "0123456789abcdef0123456789abcdef01234567";

/** A repository of one commit. */
export const repoOf = (files: Record<string, FakeFile>, commit: string = COMMIT): Repo => ({
  branches: { main: commit },
  commits: { [commit]: files },
});

const cors = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Content-Length, Content-Range, Link, X-Repo-Commit",
};

export async function fakeHub(repos: Record<string, Repo>, faults: Faults = {}): Promise<FakeHub> {
  const sockets = new Set<{ destroy(): void }>();
  const listen = async (
    answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<{ server: Server; origin: string }> => {
    const server = createServer((request, response) => {
      answer(request, response).catch(() => response.destroy());
    });
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };
  let allowed = 0;
  let since = performance.now();
  /** Waits until so many bytes may go. */
  const pace = async (bytes: number): Promise<void> => {
    const { rate } = hub.faults;
    if (!rate) return;
    const now = performance.now();
    allowed = Math.min(allowed + ((now - since) / 1000) * rate, rate / 4);
    since = now;
    allowed -= bytes;
    if (allowed < 0) await new Promise((resolve) => setTimeout(resolve, (-allowed / rate) * 1000));
  };

  async function begin(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { latency, answers, token } = hub.faults;
    const url = request.url ?? "";
    hub.requests.push(
      `${request.method} ${url}${request.headers.range ? ` ${request.headers.range}` : ""}`,
    );
    if (latency) await new Promise((resolve) => setTimeout(resolve, latency));
    const at = answers?.findIndex(({ path }) => path.test(url)) ?? -1;
    if (at >= 0) {
      const [one] = answers!.splice(at, 1);
      response.writeHead(one.status, { ...cors, ...one.headers }).end(one.body ?? "no");
      return false;
    }
    if (request.method === "OPTIONS") {
      response.writeHead(403).end();
      return false;
    }
    if (token && request.headers.host === new URL(hub.endpoint).host) {
      if (request.headers.authorization !== `Bearer ${token}`) {
        response.writeHead(401, { ...cors, "x-error-code": "GatedRepo" }).end("{}");
        return false;
      }
    }
    return true;
  }
  const json = (response: ServerResponse, value: unknown): void =>
    void response
      .writeHead(200, { ...cors, "content-type": "application/json" })
      .end(JSON.stringify(value));
  const refs = (of: Record<string, string>, kind: string): object[] =>
    Object.entries(of).map(([name, targetCommit]) => ({
      name,
      ref: `${kind}/${name}`,
      targetCommit,
    }));

  const front = await listen(async (request, response) => {
    if (!(await begin(request, response))) return;
    const { pathname, searchParams } = new URL(request.url!, "http://x");
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(refs|tree|revision)(?:\/(.+))?$/.exec(pathname);
    const resolve = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(decodeURIComponent(pathname));
    if (pathname === "/api/models") {
      const author = `${searchParams.get("author")}/`;
      return json(
        response,
        Object.keys(hub.repos)
          .filter((id) => id.startsWith(author))
          .map((id) => ({ id })),
      );
    }
    const repo = hub.repos[(api ?? resolve)?.[1] ?? ""];
    if (!repo) return void response.writeHead(404, cors).end("Repository not found");
    if (api?.[2] === "refs")
      return json(response, {
        branches: refs(repo.branches, "refs/heads"),
        tags: refs(repo.tags ?? {}, "refs/tags"),
        converts: [],
      });
    const files = repo.commits[(api ? api[3] : resolve![2]) ?? ""];
    if (!files) return void response.writeHead(404, cors).end("Revision not found");
    if (api) {
      const list = Object.entries(files).map(([path, { size, sha256 }]) => ({
        ...{ type: "file", path, size, oid: sha256.slice(0, 40) },
        lfs: { oid: sha256, size, pointerSize: 135 },
      }));
      return json(response, [{ type: "directory", path: "docs", oid: "0", size: 0 }, ...list]);
    }
    const [, name, commit, path] = resolve!;
    if (!files[path]) return void response.writeHead(404, cors).end("Entry not found");
    const to = hub.faults.loop
      ? request.url!
      : `${hub.cdn}/${name}/${commit}/${encodeURIComponent(path)}`;
    response
      .writeHead(302, { ...cors, location: to, "x-linked-etag": `"${files[path].sha256}"` })
      .end();
  });
  const back = await listen(async (request, response) => {
    if (!(await begin(request, response))) return;
    const [, user, repo, commit, path] = new URL(request.url!, "http://x").pathname.split("/");
    const file = hub.repos[`${user}/${repo}`]?.commits[commit]?.[decodeURIComponent(path)];
    if (!file) return void response.writeHead(404, cors).end("no such file");
    await send(request, response, file);
  });

  async function send(
    request: IncomingMessage,
    response: ServerResponse,
    file: FakeFile,
  ): Promise<void> {
    const { noRanges, etag, gzip, endless, wrongLength = 0, cuts } = hub.faults;
    const range = noRanges ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const from = range ? Number(range[1]) : 0;
    const to = Math.min(file.size, range?.[2] ? Number(range[2]) + 1 : file.size);
    const mark = typeof etag === "function" ? etag() : (etag ?? `"${file.sha256}"`);
    const headers: Record<string, string | number> = { ...cors, etag: mark };
    if (range) headers["content-range"] = `bytes ${from}-${to - 1}/${file.size + wrongLength}`;
    if (gzip) headers["content-encoding"] = "gzip";
    else if (!endless) headers["content-length"] = to - from + (range ? 0 : wrongLength);
    response.writeHead(range ? 206 : 200, headers);
    if (request.method === "HEAD") return void response.end();
    if (gzip) return void response.end(gzipSync(file.bytes(from, to)));
    const cut = to - from > 1 ? cuts?.shift() : undefined;
    for (let at = from; at < to || endless; at += 65536) {
      const end = Math.min(to, at + 65536);
      const piece = at < to ? file.bytes(at, end) : new Uint8Array(65536);
      if (cut !== undefined && at - from + piece.length > cut) {
        response.write(piece.subarray(0, Math.max(0, cut - (at - from))), () => response.destroy());
        return;
      }
      await pace(piece.length);
      if (response.destroyed) return;
      hub.sent += piece.length;
      if (!response.write(piece))
        await new Promise<void>((resolve) => {
          const go = (): void => {
            response.off("drain", go).off("close", go);
            resolve();
          };
          response.on("drain", go).on("close", go);
        });
    }
    response.end();
  }

  const hub: FakeHub = {
    endpoint: front.origin,
    cdn: back.origin,
    repos,
    faults,
    requests: [],
    sent: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(
        [front, back].map(({ server }) => new Promise((resolve) => server.close(resolve))),
      );
    },
  };
  return hub;
}
