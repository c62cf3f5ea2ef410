/** Errors of templates, with the place in the template that they are about. */

/** What is wrong with a template or its rendering, as "PROBLEM (line L, column C)". */
export class TemplateError extends Error {
  /** Both count from 1; columns are UTF-16 units. */
  readonly line: number;
  readonly column: number;

  /** `offset` is the place in `source`, in UTF-16 units. */
  constructor(problem: string, source: string, offset: number, cause?: unknown) {
    const before = source.slice(0, offset);
    const line = before.split("\n").length;
    const column = offset - before.lastIndexOf("\n");
    super(`${problem} (line ${line}, column ${column})`, { cause });
    this.line = line;
    this.column = column;
  }
}
