/** What the files of lists and objects ask of the lowering, so that neither imports the other. */
import type { Alternative, GrammarBuilder, RuleTerm, Term } from "../grammar.ts";
import type { Regex } from "../regex/regex.ts";
import type { SchemaObject } from "./document.ts";
import type { Goals } from "./goals.ts";
import type { Goal } from "./shape.ts";

/** How an object is written. */
export interface Notation {
  readonly open: Term;
  readonly comma: Term;
  readonly close: Term;
  /** Whether there may be properties without a name. */
  readonly others: boolean;
  /** A property: its key and its value, in one of these ways. */
  property(name: string, goal: Goal): Alternative[];
}

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
