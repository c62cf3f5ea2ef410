/** A small fault, put into the code on purpose: the tests beside that code must notice it. */
export interface Mutant {
  /** The file, from the root of the repository. */
  readonly file: string;
  /** What is then wrong, in a few words. */
  readonly fault: string;
  /** Text that occurs exactly once in the file, and what stands there instead. */
  readonly from: string;
  readonly to: string;
  /** Test files, or the beginnings of their names, that must notice. @default the folder of `test/` that mirrors the file's */
  readonly tests?: readonly string[];
  /** Why no test can notice it: then it is not run, but counted as explained. */
  readonly harmless?: string;
}
