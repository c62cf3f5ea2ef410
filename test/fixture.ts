/** Reads test data below test/fixtures, in Node, Deno and browsers. */

// By a name of its own, because Vite rewrites `new URL("…", import.meta.url)`, and wrongly for folders.
const here = import.meta.url;
// A test server may name modules by their path on disk; files it serves from the repository's root.
const root = new URL(here.startsWith("file:") ? "./fixtures/" : "/test/fixtures/", here);

/** The bytes of a fixture; `path` is relative to test/fixtures. */
export async function fixture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(path, root);
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  // The development server answers unknown paths with a page.
  const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
  if (!response.ok || (isPage && !path.endsWith(".html"))) throw new Error(`no fixture ${path}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A fixture as UTF-8 text. */
export async function fixtureText(path: string): Promise<string> {
  return new TextDecoder().decode(await fixture(path));
}

/** A fixture as JSON. */
export async function fixtureJson<T>(path: string): Promise<T> {
  return JSON.parse(await fixtureText(path)) as T;
}
