/**
 * What names a model, read in one place: a path, `https://…`, `hf:USER/REPO[:QUANT][@REVISION]` or
 * `hf:USER/REPO/FILE.gguf[@REVISION]`, with `&sha256=HEX` behind a URL or repository to pin its digest.
 */
import { WebggufError } from "../base/errors.ts";
import { quoted } from "../base/text.ts";

/** A file, or the choice of one, in a repository of a Hugging Face hub. */
export interface HubReference {
  readonly kind: "hub";
  /** `USER/REPO`. */
  readonly repo: string;
  /** Path of a file in the repository. */
  readonly file?: string;
  /** Part of a file's name, such as `Q4_K_M`. */
  readonly quant?: string;
  /** Branch, tag or commit. */
  readonly revision?: string;
  /** 64 hexadecimal digits. */
  readonly sha256?: string;
}

export interface UrlReference {
  readonly kind: "url";
  readonly url: string;
  readonly sha256?: string;
}

export interface PathReference {
  readonly kind: "path";
  readonly path: string;
}

export type Reference = HubReference | UrlReference | PathReference;

/** Whether a text is a reference that the store of models opens: a repository or an http(s) URL. */
export const isRemote = (text: string): boolean => /^(hf:|https?:\/\/)/i.test(text);

/** What the hub allows as USER/REPO: letters, digits and `_`, with single `-` and `.` between them, and one slash. */
export function isRepo(repo: string): boolean {
  return repo.length <= 256 && /^\w+(?:[.-]\w+)*\/\w+(?:[.-]\w+)*$/.test(repo);
}

/** Whether a path of a file or the name of a branch stays below the folder that it is put into, on every system. */
export function isSubpath(path: string): boolean {
  if (path.length === 0 || path.length > 1024 || /[\\:\u0000-\u001f]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function refuse(text: string, problem: string): never {
  throw new WebggufError(
    "input/invalid",
    `Cannot read the reference ${quoted(text, 200)}: ${problem}; for example hf:USER/REPO, hf:USER/REPO:Q4_K_M or hf:USER/REPO/FILE.gguf@REVISION`,
    { actual: text },
  );
}

/** Reads a reference. What begins with `hf:` and is none is `input/invalid`. */
export function parseReference(text: string): Reference {
  if (!isRemote(text)) return { kind: "path", path: text };
  const pin = /[&?#]sha256=([^&#]*)$/i.exec(text);
  const sha256 = pin?.[1].toLowerCase();
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    refuse(text.slice(0, pin?.index), "sha256= wants 64 hexadecimal digits");
  const rest = pin ? text.slice(0, pin.index) : text;
  const pinned = sha256 === undefined ? {} : { sha256 };
  if (!/^hf:/i.test(text)) return { kind: "url", url: rest, ...pinned };
  const [, body, revision] = /^hf:(?:\/\/)?(.*?)(?:@([^@]*))?$/is.exec(rest) as RegExpExecArray;
  const [path, quant, ...more] = body.split(":");
  const [user = "", name = "", ...parts] = path.split("/");
  const repo = `${user}/${name}`;
  if (!isRepo(repo)) refuse(text, `${quoted(repo)} is no USER/REPO`);
  if (more.length > 0 || quant === "") refuse(text, "one quantisation stands behind the colon");
  if (revision !== undefined && !isSubpath(revision))
    refuse(text, "behind @ stands a branch, a tag or a commit");
  const file = parts.length > 0 ? parts.join("/") : undefined;
  if (file !== undefined && !(isSubpath(file) && /\.gguf$/i.test(file)))
    refuse(text, "behind USER/REPO/ stands the path of a file that ends with .gguf");
  if (file !== undefined && quant !== undefined)
    refuse(text, "a file and a quantisation exclude each other");
  return {
    kind: "hub",
    repo,
    ...(file !== undefined && { file }),
    ...(quant !== undefined && { quant }),
    ...(revision !== undefined && { revision }),
    ...pinned,
  };
}

/** The reference as text, in its shortest form. */
export function referenceText(reference: Omit<HubReference, "kind" | "sha256">): string {
  const { repo, file, quant, revision } = reference;
  const what = file === undefined ? (quant === undefined ? "" : `:${quant}`) : `/${file}`;
  return `hf:${repo}${what}${revision === undefined ? "" : `@${revision}`}`;
}
