/** What a Hugging Face hub says of a repository: commits, and the sizes and digests of its files. */
import { WebggufError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { quoted } from "../../base/text.ts";
import { Address } from "../address.ts";
import { passes, QUIET, wishedPause } from "../http-resource.ts";
import { isSubpath } from "../reference.ts";
import { longestPause, Retryable, settle, withRetries } from "../retry.ts";

export interface Hub {
  readonly fetch: typeof fetch;
  readonly follows: boolean;
  /** Ends without a slash. */
  readonly endpoint: string;
  readonly token?: string;
}

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** What a blob of it is called: the digest, or git's for small files. */
  readonly oid: string;
  readonly sha256?: string;
}

export interface Listing {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

export interface Asking {
  readonly signal?: AbortSignal;
  readonly onNotice?: (text: string) => void;
}

/** Bytes of a listing at most, and pages of it. */
const LONGEST = 32 << 20;
const MOST_PAGES = 50;

/** Where the tokens and terms of a hub are. */
const advice = (hub: Hub, repo: string): string =>
  `open ${hub.endpoint}/${repo} to ask for access, and set HF_TOKEN to a token of yours`;

/** The header for gated and private repositories. */
export const authorization = ({ token }: Hub): string | undefined => token && `Bearer ${token}`;

/** The error for a repository that the hub does not show. */
export function denied(hub: Hub, repo: string, status: number, reason: string): WebggufError {
  const gated = status === 403 || /gated/i.test(reason);
  const what = gated
    ? "it is gated, and who asks has no access"
    : "there is no such repository, or it is private";
  const todo = hub.token
    ? `check the name, and whether the token may read it (${hub.endpoint}/${repo})`
    : advice(hub, repo);
  return new WebggufError(
    "source/network",
    `Cannot read hf:${repo}: ${what} (HTTP ${status}); ${todo}`,
    { file: `hf:${repo}`, actual: status },
  );
}

/** A body's text, of bounded length. */
async function textOf(response: Response, signal: AbortSignal | undefined): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    while (reader) {
      const { done, value } = await settle(reader.read(), signal, 60_000);
      if (done) break;
      length += value.length;
      if (length > LONGEST)
        throw new WebggufError("source/network", "Cannot read the hub's answer: it has no end");
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    reader?.cancel().catch(() => {});
  }
  return text;
}

/** JSON from the hub, with the address of a further page where there is one. */
async function ask(
  hub: Hub,
  repo: string,
  url: string,
  { signal, onNotice }: Asking,
): Promise<{ json: unknown; next?: string }> {
  const address = new Address(url, { ...hub, authorization: authorization(hub) });
  const retry = withRetries(address.name, { onNotice }, signal, true);
  const quiet = setTimeout(() => onNotice?.(`Waiting for ${address.name} to answer`), QUIET);
  const refuse = (problem: string, actual?: number): WebggufError =>
    new WebggufError("source/network", `Cannot read ${address.name}: ${problem}`, {
      file: `hf:${repo}`,
      actual,
    });
  try {
    for (;;)
      try {
        const response = await address.ask({ headers: { Accept: "application/json" } }, signal);
        const { status, ok, headers } = response;
        if (!ok) {
          const reason = `${headers.get("x-error-code") ?? ""} ${headers.get("x-error-message") ?? ""}`;
          void response.body?.cancel();
          if (status === 401 || status === 403) throw denied(hub, repo, status, reason);
          if (status === 404 || status === 410)
            throw new WebggufError(
              "source/not-found",
              `Cannot read ${address.name}: there is no such thing (HTTP ${status})`,
              { file: `hf:${repo}`, actual: status },
            );
          const wished = wishedPause(response);
          if (status === 429 && wished > longestPause)
            throw refuse(
              `the hub takes no more requests for ${Math.ceil(wished / 1000)} seconds (HTTP 429); try again then${hub.token ? "" : ", or set HF_TOKEN"}`,
              status,
            );
          if (passes(status)) throw new Retryable(`HTTP ${status}`, wished);
          throw refuse(`the hub answered HTTP ${status}`, status);
        }
        const text = await textOf(response, signal);
        const link = /<([^>]+)>\s*;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1];
        try {
          return { json: JSON.parse(text), next: link && new URL(link, url).href };
        } catch {
          throw refuse(
            /^\s*</.test(text)
              ? "the hub sent a web page; check the endpoint and what stands between here and it"
              : "the hub's answer is no JSON; check the endpoint",
          );
        }
      } catch (error) {
        await retry.after(error, 0);
      }
  } finally {
    clearTimeout(quiet);
  }
}

const records = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];

const isCommit = (text: unknown): text is string =>
  typeof text === "string" && /^[0-9a-f]{40}$/i.test(text);

/** Repositories of the same user, for one that is not there; [] where the hub does not tell. */
async function nearRepos(hub: Hub, repo: string, asking: Asking): Promise<string[]> {
  const [user] = repo.split("/");
  const url = `${hub.endpoint}/api/models?author=${encodeURIComponent(user)}&limit=200`;
  const { json } = await ask(hub, repo, url, { signal: asking.signal }).catch(() => ({ json: [] }));
  asking.signal?.throwIfAborted();
  const names = records(json).map(({ id, modelId }) => String(id ?? modelId));
  return nearest(repo, names);
}

const orMeant = (names: readonly string[]): string =>
  names.length > 0 ? `; did you mean ${names.join(", ")}?` : "; check the name";

/** The commit that a revision stands for; without one `main`, or else the first branch. */
export async function commitOf(
  hub: Hub,
  repo: string,
  revision: string | undefined,
  asking: Asking,
): Promise<string> {
  if (isCommit(revision)) return revision.toLowerCase();
  const api = `${hub.endpoint}/api/models/${repo}`;
  const { json } = await ask(hub, repo, `${api}/refs`, asking).catch(async (error) => {
    if (!(error instanceof WebggufError) || error.code !== "source/not-found") throw error;
    const near = await nearRepos(hub, repo, asking);
    throw new WebggufError(
      "source/not-found",
      `Cannot find hf:${repo}: the hub has no such repository${orMeant(near)}`,
      { file: `hf:${repo}`, actual: 404 },
    );
  });
  const { branches, tags } = Object(json);
  const refs = [...records(branches), ...records(tags)].filter(({ targetCommit }) =>
    isCommit(targetCommit),
  );
  const wanted = revision ?? "main";
  const found =
    refs.find(({ name, ref }) => name === wanted || ref === wanted) ??
    (revision === undefined ? refs[0] : undefined);
  if (found) return String(found["targetCommit"]).toLowerCase();
  // Pull requests and shortened commits are not among them.
  const other =
    revision !== undefined &&
    (await ask(hub, repo, `${api}/revision/${encodeURIComponent(revision)}`, asking).catch(
      (error) => {
        if (error instanceof WebggufError && error.code === "source/not-found") return undefined;
        throw error;
      },
    ));
  const sha = other && Object(other.json).sha;
  if (isCommit(sha)) return sha.toLowerCase();
  const near = nearest(
    wanted,
    refs.map(({ name }) => String(name)),
  );
  throw new WebggufError(
    "source/not-found",
    `Cannot find the revision ${quoted(wanted)} of hf:${repo}${orMeant(near)}`,
    { file: `hf:${repo}@${wanted}` },
  );
}

/** The files of a repository at a commit. Names that would lead out of a folder are left out. */
export async function filesOf(
  hub: Hub,
  repo: string,
  commit: string,
  asking: Asking,
): Promise<readonly HubFile[]> {
  const files: HubFile[] = [];
  let page: string | undefined = `${hub.endpoint}/api/models/${repo}/tree/${commit}?recursive=true`;
  for (let pages = 0; page !== undefined && pages < MOST_PAGES; pages++) {
    const answer: { json: unknown; next?: string } = await ask(hub, repo, page, asking);
    for (const { type, path, size, oid, lfs } of records(answer.json)) {
      const large = Object(lfs);
      const sha256 = String(large.oid ?? "").replace(/^sha256:/, "");
      const blob = sha256 || String(oid ?? "");
      const bytes = Number(large.size ?? size);
      if (type !== "file" || typeof path !== "string" || !isSubpath(path)) continue;
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(blob) || !Number.isSafeInteger(bytes)) continue;
      files.push({
        path,
        size: bytes,
        oid: blob.toLowerCase(),
        ...(blob.length === 64 && { sha256: blob.toLowerCase() }),
      });
    }
    // A further page is of the same hub.
    page =
      answer.next && new URL(answer.next).origin === new URL(hub.endpoint).origin
        ? answer.next
        : undefined;
  }
  return files;
}

/** Where a file of a repository is fetched. */
export const resolveUrl = (hub: Hub, repo: string, commit: string, path: string): string =>
  `${hub.endpoint}/${repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
