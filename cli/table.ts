/** Plain tables on the terminal. */

/** Lines of cells as aligned text; the columns numbered in `right` stand to the right. */
export function table(lines: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A dispatch as far as grouping goes. */
interface Groupable {
  readonly layer: number;
  readonly kernel: string;
}

export const GROUPINGS = ["kernel", "layer"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Dispatches by kernel, or by layer (those outside the layers as "-"), in order of appearance. */
export function groupBy<T extends Groupable>(rows: readonly T[], by: Grouping): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = by === "kernel" ? row.kernel : row.layer < 0 ? "-" : String(row.layer);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

/** The sum of a number over all rows. */
export const sum = <T>(rows: readonly T[], of: (row: T) => number): number =>
  rows.reduce((total, row) => total + of(row), 0);
