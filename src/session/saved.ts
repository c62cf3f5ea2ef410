/**
 * A session as bytes: what it says and, where they were at hand, the computed rows of that. Little-endian:
 *
 *     "webgguf session\n" | version u32 | bytes of the header u32 | header (JSON) | items f64 | small u8 | given rows f32 |
 *     rows of each cache slot | digest of all before
 *
 * `small` says of each item that has one whether a small step computed its row. Nothing is believed: sizes are checked
 * against the model before anything is allocated, and the digest before anything is used. Digests are SHA-256 of the
 * SHA-256 of pieces.
 */
import { type ErrorDetails, WebggufError } from "../base/errors.ts";
import { contextOverflow } from "../base/overflow.ts";
import type { ModelFile } from "../file/types.ts";
import { type Graph, givenWidth } from "../graph/graph.ts";
import { PAGE } from "../graph/prefixes.ts";
import { rowItem } from "../graph/requests.ts";
import type { SavedRows, SavedSlot, SlotForm } from "../graph/saved.ts";
import type { SavedSession } from "./types.ts";

const MAGIC = "webgguf session\n";
const VERSION = 1;
const HEADER = MAGIC.length + 8;
const DIGEST = 32;
/** Bytes of a header at most. */
const MOST_HEADER = 1 << 20;
/** Bytes of a piece that is hashed at once. */
const PIECE = 16 << 20;
/** Of models up to so many bytes all are told apart by; of others the first of some tensors. */
const WHOLE_MODEL = 64 << 20;
const TENSORS = 16;
const TENSOR_BYTES = 64 << 10;

/** What a session is made of. */
export interface SessionParts {
  readonly items: readonly number[];
  /** The vectors of given rows by their items. */
  readonly vectors: ReadonlyMap<number, Float32Array>;
  /** The first items as rows, see `rowItem`. */
  readonly text: readonly number[];
  /** Rows of `text` from its first on, or undefined: they are computed again. */
  readonly rows?: SavedRows;
  /** Bytes of text that are no whole character yet. */
  readonly held: Uint8Array;
}

/** What a saved session must be of. */
export interface SavedFor {
  readonly file: ModelFile;
  readonly graph: Graph;
  readonly contextLength: number;
  /** The executor's: each has rows of its own form. */
  readonly kind: "gpu" | "cpu";
  /** Undefined where the executor keeps no rows. */
  readonly forms: readonly SlotForm[] | undefined;
}

interface Header {
  readonly model: string;
  readonly kind: string;
  readonly cache: readonly string[];
  readonly items: number;
  readonly text: number;
  readonly rows: number;
  readonly first: readonly number[];
  readonly vectors: readonly number[];
  readonly held: readonly number[];
}

const digests = new WeakMap<Graph, Promise<string>>();

/** What tells a model from others: its metadata, its tensors and bytes of these, and what the context makes of it. */
function modelDigest(wanted: SavedFor): Promise<string> {
  let digest = digests.get(wanted.graph);
  if (!digest) {
    digest = digestOfModel(wanted);
    digests.set(wanted.graph, digest);
    digest.catch(() => digests.delete(wanted.graph));
  }
  return digest;
}

async function digestOfModel({ file, graph }: SavedFor): Promise<string> {
  const facts: unknown[] = [];
  for (const [key, value] of file.metadata) {
    const plain = ArrayBuffer.isView(value)
      ? Array.from(value as ArrayLike<unknown>, String)
      : value;
    facts.push([key, typeof plain === "bigint" ? String(plain) : plain]);
  }
  const tensors = [...file.tensors.values()];
  for (const { name, type, shape } of tensors) facts.push([name, type.name, shape]);
  facts.push(graph.ops.flatMap((op) => (op.op === "rope" ? [op.table] : [])));
  const pieces = [new TextEncoder().encode(JSON.stringify(facts))];
  const all = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const whole = all <= WHOLE_MODEL;
  const every = whole ? 1 : Math.ceil(tensors.length / TENSORS);
  for (let i = 0; i < tensors.length; i += every) {
    const { part, offset, bytes } = tensors[i];
    const length = whole ? bytes : Math.min(bytes, TENSOR_BYTES);
    pieces.push(await sha256(await file.sources[part].read(offset, length)));
  }
  return hex(await digestOf(joined(pieces)));
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const { subtle } = globalThis.crypto;
  if (!subtle)
    throw new WebggufError(
      "input/invalid",
      "Cannot save or restore a session: this page has no digests (crypto.subtle); serve it over https or from localhost",
    );
  return new Uint8Array(await subtle.digest("SHA-256", bytes));
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const digests: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; at += PIECE)
    digests.push(await sha256(bytes.subarray(at, at + PIECE)));
  return sha256(joined(digests));
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What says how a slot is kept, and its bytes: of a row, or of the state. */
const CACHE = /^(state|(f32|f16|q8_0|q4_0) (f32|f16|q8_0|q4_0)) \d{1,9}$/;

const cacheOf = (forms: readonly SlotForm[] | undefined): string[] =>
  (forms ?? []).map((form) =>
    form.kind === "state" ? `state ${form.bytes}` : `${form.keys} ${form.values} ${form.bytes}`,
  );

export async function encodeSession(
  { items, vectors, text, rows, held }: SessionParts,
  wanted: SavedFor,
): Promise<Uint8Array<ArrayBuffer>> {
  const head: Header = {
    model: await modelDigest(wanted),
    kind: wanted.kind,
    cache: cacheOf(wanted.forms),
    items: items.length,
    text: text.length,
    rows: rows?.length ?? 0,
    first: rows?.slots.map(({ first }) => first) ?? [],
    vectors: [...vectors.keys()],
    held: [...held],
  };
  const json = new TextEncoder().encode(JSON.stringify(head));
  const total = HEADER + json.length + bodyOf(head, wanted) + DIGEST;
  const bytes = allocate(total);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(MAGIC.length, VERSION, true);
  view.setUint32(MAGIC.length + 4, json.length, true);
  bytes.set(json, HEADER);
  let at = HEADER + json.length;
  for (const item of items) {
    view.setFloat64(at, item, true);
    at += 8;
  }
  for (const item of text) bytes[at++] = item % 2;
  for (const vector of vectors.values()) {
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), at);
    at += vector.byteLength;
  }
  for (const slot of rows?.slots ?? []) {
    bytes.set(slot.bytes, at);
    at += slot.bytes.length;
  }
  bytes.set(await digestOf(bytes.subarray(0, at)), at);
  return bytes;
}

/** Errors: `session/corrupt`, `session/mismatch`, `context/overflow`. */
export async function decodeSession(saved: SavedSession, wanted: SavedFor): Promise<SessionParts> {
  const { size, read } = readerOf(saved);
  const start = await read(0, Math.min(size, HEADER));
  if (size < HEADER + DIGEST || new TextDecoder().decode(start.subarray(0, 16)) !== MAGIC)
    throw corrupt("these are not the bytes of a saved session, or not all of them", { offset: 0 });
  const view = new DataView(start.buffer, start.byteOffset);
  const version = view.getUint32(MAGIC.length, true);
  if (version !== VERSION)
    throw mismatch(`it is of version ${version} and this knows version ${VERSION}`, {
      key: "version",
      expected: VERSION,
      actual: version,
    });
  const length = view.getUint32(MAGIC.length + 4, true);
  if (length > MOST_HEADER || length > size - HEADER - DIGEST)
    throw corrupt(`its header of ${length} bytes is longer than it can be`, {
      offset: MAGIC.length + 4,
      expected: Math.min(MOST_HEADER, size - HEADER - DIGEST),
      actual: length,
    });
  const head = headerOf(await read(HEADER, HEADER + length));
  const model = await modelDigest(wanted);
  if (head.model !== model)
    throw mismatch("it is of another model", { key: "model", expected: model, actual: head.model });
  // Rows of another kind of executor are computed again.
  const own = head.kind === wanted.kind;
  const cache = cacheOf(wanted.forms);
  const differs = cache.findIndex((form, i) => form !== head.cache[i]);
  if (own && (differs >= 0 || cache.length !== head.cache.length)) {
    const [expected, actual] = [cache, head.cache].map((types) => types[Math.max(0, differs)]);
    const named = (type = "nothing"): string => type.split(" ", 2).join(" and ");
    throw mismatch(
      `its cache is of the types ${named(actual)} and the model was loaded with ${named(expected)}; load it with the same ` +
        "cacheTypeK and cacheTypeV",
      { key: "cacheType", expected, actual },
    );
  }
  if (head.items > wanted.contextLength) throw contextOverflow(wanted.contextLength, head.items);
  const total = HEADER + length + bodyOf(head, wanted) + DIGEST;
  if (total !== size)
    throw corrupt(`it has ${size} bytes and should have ${total}`, {
      expected: total,
      actual: size,
    });
  const all = await read(0, size);
  const expected = hex(await digestOf(all.subarray(0, size - DIGEST)));
  const actual = hex(all.subarray(size - DIGEST));
  if (expected !== actual)
    throw corrupt("its bytes are not those that were saved", { expected, actual });
  return partsOf(own ? head : { ...head, rows: 0 }, all, HEADER + length, wanted);
}

/** Bytes of what follows the header. */
function bodyOf(head: Header, { graph }: SavedFor): number {
  const { cache, items, text, rows, first, vectors } = head;
  let bytes = 8 * items + text + 4 * givenWidth(graph) * vectors.length;
  if (rows > 0)
    cache.forEach((form, i) => {
      const each = Number(form.split(" ").at(-1));
      bytes += form.startsWith("state") ? each : each * (rows - first[i]);
    });
  return bytes;
}

function headerOf(bytes: Uint8Array): Header {
  let head: Partial<Record<keyof Header, unknown>> | null = null;
  try {
    head = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Said below.
  }
  const { model, kind, cache, items, text, rows, first, vectors, held } = Object(head);
  const count = (value: unknown, most: number): boolean =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
  const list = (value: unknown, is: (one: unknown) => boolean): boolean =>
    Array.isArray(value) && value.every(is);
  const good =
    typeof model === "string" &&
    typeof kind === "string" &&
    list(cache, (one) => typeof one === "string" && CACHE.test(one)) &&
    count(items, 2 ** 31) &&
    count(text, items) &&
    count(rows, text) &&
    list(first, (one) => count(one, rows)) &&
    (rows === 0 || first.length === cache.length) &&
    list(vectors, (one) => Number.isSafeInteger(one) && (one as number) < 0) &&
    list(held, (one) => count(one, 255));
  if (!good) throw corrupt("its header cannot be read", { offset: HEADER });
  return head as unknown as Header;
}

function partsOf(
  head: Header,
  all: Uint8Array<ArrayBuffer>,
  start: number,
  { graph, forms = [] }: SavedFor,
): SessionParts {
  const view = new DataView(all.buffer, all.byteOffset);
  let at = start;
  const vectors = new Map<number, Float32Array>();
  const known = new Set(head.vectors);
  const items = Array.from({ length: head.items }, (_, i) => {
    const item = view.getFloat64(at + 8 * i, true);
    if (!known.has(item) && !(Number.isInteger(item) && item >= 0 && item < graph.vocabulary))
      throw corrupt(`its item ${i} is no token of the model`, { offset: at + 8 * i, actual: item });
    return item;
  });
  at += 8 * head.items;
  const text = items.slice(0, head.text).map((item, i) => rowItem(item, all[at + i] === 1));
  if (text.some((item) => item < 0)) throw corrupt("given rows stand where tokens should", {});
  at += head.text;
  const width = givenWidth(graph);
  for (const item of head.vectors) {
    const bytes = all.slice(at, at + 4 * width);
    vectors.set(item, new Float32Array(bytes.buffer));
    at += 4 * width;
  }
  const held = Uint8Array.from(head.held);
  if (head.rows === 0) return { items, vectors, text, held };
  const slots = forms.map((form, i): SavedSlot => {
    const first = head.first[i];
    const length = form.kind === "state" ? form.bytes : form.bytes * (head.rows - first);
    const bytes = all.subarray(at, at + length);
    at += length;
    return { first, bytes };
  });
  // Rows are taken by whole pages, and no row is missing that nothing but a window may leave out.
  const wrong = forms.findIndex(
    (form, i) =>
      slots[i].first % PAGE !== 0 ||
      (slots[i].first > 0 && (form.kind === "state" || form.window === 0)),
  );
  if (wrong >= 0) throw corrupt(`its cache slot ${wrong} begins at row ${slots[wrong].first}`, {});
  return { items, vectors, text, held, rows: { length: head.rows, slots } };
}

function readerOf(saved: SavedSession): {
  size: number;
  read(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
} {
  if (saved instanceof Blob)
    return {
      size: saved.size,
      read: async (from, to) => new Uint8Array(await saved.slice(from, to).arrayBuffer()),
    };
  const all =
    saved instanceof Uint8Array ? (saved as Uint8Array<ArrayBuffer>) : new Uint8Array(saved);
  return { size: all.length, read: async (from, to) => all.subarray(from, to) };
}

function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new WebggufError(
      "device/out-of-memory",
      `Cannot save the session: its ${bytes} bytes are more than this machine or runtime gives at once`,
      { expected: bytes, cause },
    );
  }
}

const corrupt = (what: string, details: ErrorDetails): WebggufError =>
  new WebggufError(
    "session/corrupt",
    `Cannot restore the session: ${what}; save it again`,
    details,
  );

const mismatch = (what: string, details: ErrorDetails): WebggufError =>
  new WebggufError("session/mismatch", `Cannot restore the session: ${what}`, details);
