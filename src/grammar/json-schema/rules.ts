/** What the files of lists and objects ask of the lowering, so that neither imports the other. */
import type { GrammarBuilder, RuleTerm, Term } from "../grammar.ts";
import type { Regex } from "../regex/regex.ts";
import type { SchemaObject } from "./document.ts";
import type { Goals } from "./goals.ts";
import type { Goal } from "./shape.ts";

export interface Rules {
  readonly builder: GrammarBuilder;
  readonly expander: Goals;
  /** White space, where it may stand. */
  readonly space: Regex;
  /** The values that meet the goal. */
  value(goal: Goal): Term;
  /** Those that are neither lists nor objects. */
  scalar(goal: Goal): Regex | undefined;
  rule(): RuleTerm;
  /** Refuses the schema whose rules are being made. */
  refuse(keyword: string, what: string): never;
  refuseAt(keyword: string, at: SchemaObject, what: string): never;
  /** A text of JSON's and the white space that may follow. */
  mark(text: string): Term;
  /** The end of a list or an object, and the white space that may stand before. */
  end(text: string): Term;
}
