/** Reads test data below test/fixtures. */
import { readFile } from "node:fs/promises";

const root = new URL("./fixtures/", import.meta.url);

export async function fixture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(new URL(path, root)));
}
export async function fixtureText(path: string): Promise<string> {
  return new TextDecoder().decode(await fixture(path));
}
export async function fixtureJson<T>(path: string): Promise<T> {
  return JSON.parse(await fixtureText(path)) as T;
}
