/** The page that runs the cases in a browser; chromium.ts drives it. */
import type { Reader } from "./case.ts";
import { conformance, type Row, type Settings } from "./run.ts";

declare global {
  var reportRow: (row: Row) => Promise<void>;
  var reportProblem: (text: string) => Promise<void>;
  var runConformance: (settings: Settings) => Promise<void>;
}

const readerOf =
  (prefix: string): Reader =>
  async (path) => {
    const response = await fetch(`${prefix}${path.split("/").map(encodeURIComponent).join("/")}`);
    if (!response.ok) throw new Error(`no ${path}`);
    return new Uint8Array(await response.arrayBuffer());
  };

globalThis.runConformance = async (settings) => {
  const readers = { reference: readerOf("/reference/"), tinyModel: readerOf("/tiny-model/") };
  const rows = conformance(readers, settings, (text) => void globalThis.reportProblem(text));
  for await (const row of rows) await globalThis.reportRow(row);
};
