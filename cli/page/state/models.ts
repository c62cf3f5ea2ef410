/** Models: what is loaded, what is kept, and how one gets here. */
import { type Signal, signal } from "@preact/signals";
import type { FitReport, StoredModel, StoreSpace } from "../../../mod.ts";
import { modelStore } from "../../../src/bytes/store.ts";
import { splitName, stemOf } from "../../../src/gguf/split.ts";
import { storedFile } from "../../../src/platform/stored-file.ts";
import { engine } from "../engine/client.ts";
import type { ModelName } from "../engine/protocol.ts";
import { handlesOf, keepHandles } from "../store/database.ts";
import { modelName, words } from "../words.ts";
import { change, settings } from "./settings.ts";

/** The model that comes with the page. */
export const BUNDLED: string = "bundled";
const BUNDLED_FILE = "webgguf-tale-q8_0.gguf";
export const bundledName: ModelName = { reference: BUNDLED, label: "Demonstration model" };

/** A model on its way from a server. */
export interface Download {
  readonly reference: string;
  readonly loaded: number;
  readonly total: number;
  readonly rate?: number;
  readonly secondsLeft?: number;
  readonly from?: string;
  readonly stop: AbortController;
}

export const download: Signal<Download | undefined> = signal(undefined);
/** What went wrong with a model, where models are chosen. */
export const problem: Signal<string> = signal("");
export const stored: Signal<readonly StoredModel[]> = signal([]);
export const space: Signal<StoreSpace | undefined> = signal(undefined);
export const fits: Signal<ReadonlyMap<string, FitReport | string>> = signal(new Map());
/** A file that was open before, which the browser opens again after a click. */
export const reopenable: Signal<string | undefined> = signal(undefined);

const optionsOf = (): { contextLength?: number; device: string } => {
  const { contextLength, device } = settings.value;
  return { device, ...(contextLength > 0 && { contextLength }) };
};

const hubOf = (): { endpoint?: string } =>
  settings.value.hub === "" ? {} : { endpoint: settings.value.hub };

async function loadFrom(
  reference: string,
  label: string,
  source: string | readonly Blob[],
): Promise<void> {
  problem.value = "";
  reopenable.value = undefined;
  try {
    await engine.load({ reference, label, source, options: optionsOf() });
    change({ model: { reference, label } });
  } catch (error) {
    if ((error as Error).name !== "AbortError") problem.value = words(error);
  }
}

/** Loads the model that comes with the page. */
export async function loadBundled(): Promise<void> {
  problem.value = "";
  try {
    const response = await fetch(new URL(BUNDLED_FILE, document.baseURI));
    if (!response.ok) throw new Error(`The server answered ${response.status}`);
    const blob = await response.blob();
    await loadFrom(BUNDLED, bundledName.label, [new File([blob], BUNDLED_FILE)]);
  } catch (error) {
    problem.value = `Cannot load the bundled model: ${(error as Error).message}. Load the page again.`;
  }
}

/** Loads files that the user picked or dropped: one, or all parts of a split model. */
export async function loadFiles(
  files: readonly File[],
  handles: readonly FileSystemFileHandle[] = [],
): Promise<void> {
  if (files.length === 0) return;
  const label = modelName(files.map(({ name }) => name));
  const reference = `file:${label}`;
  if (handles.length > 0) await keepHandles(reference, handles);
  await loadFrom(reference, label, files);
}

type Picker = (options: object) => Promise<FileSystemFileHandle[]>;

/** Asks for files with handles, where the browser has them; false where it has not. */
export async function pick(): Promise<boolean> {
  const { showOpenFilePicker } = globalThis as unknown as { showOpenFilePicker?: Picker };
  if (!showOpenFilePicker) return false;
  let handles: FileSystemFileHandle[];
  try {
    const accept = { "application/octet-stream": [".gguf"] };
    const types = [{ description: "GGUF models", accept }];
    handles = await showOpenFilePicker({ multiple: true, types });
  } catch (error) {
    // Closed without a choice; a browser that refuses the dialog has the other one.
    return (error as Error).name === "AbortError";
  }
  await loadFiles(await Promise.all(handles.map((handle) => handle.getFile())), handles);
  return true;
}

interface Permitting {
  queryPermission?(options: object): Promise<string>;
  requestPermission?(options: object): Promise<string>;
}

/** Opens picked files again; without `ask` only where the browser needs no new permission. */
export async function reopen(reference: string, ask: boolean): Promise<boolean> {
  const handles = await handlesOf(reference);
  if (!handles) return false;
  for (const handle of handles as (FileSystemFileHandle & Permitting)[]) {
    const how = ask ? handle.requestPermission : handle.queryPermission;
    if ((await how?.call(handle, { mode: "read" })) !== "granted") return false;
  }
  await loadFiles(await Promise.all(handles.map((handle) => handle.getFile())));
  return true;
}

/** The files of a stored model; undefined where it is not whole, or nothing can be kept here. */
async function filesOf(reference: string): Promise<File[] | undefined> {
  const store = await modelStore();
  const source = await store.open(reference, { offline: true });
  try {
    const { place } = source;
    if (place === undefined) return undefined;
    const stem = stemOf(place);
    const count = Number(/-of-(\d{5})\.gguf$/i.exec(place)?.[1] ?? 1);
    if (stem === undefined) return [await storedFile(place)];
    const files: File[] = [];
    for (let no = 0; no < count; no++) {
      const part = await source.beside(splitName(stem, no, count));
      if (part.place !== undefined) files.push(await storedFile(part.place));
      await part.close?.();
    }
    return files.length === count ? files : undefined;
  } finally {
    await source.close?.();
  }
}

/** A reference without its scheme and folders. */
export const shortName = (reference: string): string =>
  reference
    .replace(/^hf:/, "")
    .replace(/^https?:\/\/.*\//, "")
    .replace(/[?#&].*$/, "");

/** Fetches a model, or what of it is missing, and loads it. */
export async function loadReference(reference: string): Promise<void> {
  problem.value = "";
  const stop = new AbortController();
  download.value = { reference, loaded: 0, total: 0, stop };
  try {
    const store = await modelStore();
    const { reference: exact } = await store.pull(reference, {
      signal: stop.signal,
      ...hubOf(),
      onProgress: ({ loaded, total, rate, secondsLeft, from }) => {
        download.value = { reference, loaded, total, rate, secondsLeft, from, stop };
      },
    });
    download.value = undefined;
    await refreshStored();
    await loadFrom(exact, shortName(exact), (await filesOf(exact)) ?? exact);
  } catch (error) {
    if (!stop.signal.aborted) problem.value = words(error);
  } finally {
    download.value = undefined;
  }
}

/** Loads a model that is kept, without network. */
export async function loadStored(reference: string): Promise<boolean> {
  try {
    const files = await filesOf(reference);
    if (!files) return false;
    await loadFrom(reference, shortName(reference), files);
    return true;
  } catch (error) {
    problem.value = words(error);
    return false;
  }
}

export async function refreshStored(): Promise<void> {
  try {
    const store = await modelStore();
    stored.value = await store.list();
    space.value = await store.space();
  } catch (error) {
    problem.value = words(error);
  }
}

export async function removeStored(reference: string): Promise<void> {
  try {
    await (await modelStore()).remove(reference);
  } catch (error) {
    problem.value = words(error);
  }
  await refreshStored();
}

/** Tells whether a stored model fits the device, from its header. */
export async function checkFit(reference: string): Promise<void> {
  const say = (report: FitReport | string): void => {
    fits.value = new Map(fits.value).set(reference, report);
  };
  say("Looking …");
  try {
    const [report] = await engine.fit((await filesOf(reference)) ?? reference, optionsOf());
    say(report);
  } catch (error) {
    say(words(error));
  }
}

/** Loads again what was open before a reload, where that needs no click. */
export async function loadAgain(): Promise<void> {
  const { model } = settings.value;
  if (!model || engine.state.value.status !== "empty") return;
  const { reference } = model;
  if (reference === BUNDLED) await loadBundled();
  else if (reference.startsWith("file:")) {
    if (await reopen(reference, false).catch(() => false)) return;
    reopenable.value = model.label;
  } else await loadStored(reference);
}

/** Loads the same model with another context. */
export async function loadWith(contextLength: number): Promise<void> {
  change({ contextLength });
  const name = engine.state.value.name;
  if (!name) return;
  const { reference } = name;
  if (reference === BUNDLED) await loadBundled();
  else if (!reference.startsWith("file:")) await loadStored(reference);
  else if (!(await reopen(reference, true).catch(() => false)))
    problem.value = `Choose ${name.label} again.`;
}
