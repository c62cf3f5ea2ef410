/** Where `webgguf tune` keeps what it measured, and where the other commands find it: one JSON file, a list. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { DeviceTuning } from "../mod.ts";

/** The user's folder for what can be made again. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === "win32" && LOCALAPPDATA) return path.join(LOCALAPPDATA, "webgguf");
  return path.join(XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "webgguf");
}

export const tuningFile = (): string => path.join(cacheFolder(), "tuning.json");

/** What was measured on this machine's adapters; nothing where nothing was, or where the file is damaged. */
export function readTunings(): DeviceTuning[] {
  try {
    const list: unknown = JSON.parse(readFileSync(tuningFile(), "utf8"));
    if (!Array.isArray(list)) return [];
    return list.filter((one): one is DeviceTuning => isTuning(one));
  } catch {
    return [];
  }
}

const RANGES: Readonly<Record<string, readonly unknown[]>> = {
  threads: [64],
  lanes: [1, 2, 4, 8, 16, 32, 64],
  weightRows: [2, 4],
  batchWeightRows: [2, 4],
  tile: [32, 64],
  int8: [true, false],
};

/** The file may be of another version, or written by hand. */
function isTuning(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { adapter, ...rest } = value as Record<string, unknown>;
  return (
    typeof adapter === "string" &&
    Object.entries(rest).every(([key, one]) => RANGES[key]?.includes(one) === true)
  );
}

/** Keeps one adapter's, in place of what was there for it. */
export function saveTuning(tuning: DeviceTuning): void {
  const others = readTunings().filter(({ adapter }) => adapter !== tuning.adapter);
  mkdirSync(cacheFolder(), { recursive: true });
  writeFileSync(tuningFile(), `${JSON.stringify([...others, tuning], null, 1)}\n`);
}
