/** What the keywords' files ask of an expander, so that neither imports the other. */
import type { SchemaDocument, SchemaObject } from "./document.ts";
import type { Expressions } from "./expressions.ts";
import type { Goal, Shape } from "./shape.ts";

export interface Goals {
  readonly use: Expressions;
  readonly document: SchemaDocument;
  /** Whether `format` is enforced. */
  readonly formats: boolean;
  /** That a schema holds: the value of `keyword` of `of`. */
  goal(schema: unknown, of: SchemaObject, keyword: string): Goal;
  holds(schema: SchemaObject | boolean): Goal;
  /** That a goal of one schema or none does not hold. */
  fails(goal: Goal): Goal;
  /** What a goal allows. */
  expand(goal: Goal): Shape;
  /** What the goals together allow, each for itself. */
  any(goals: readonly Goal[], at: SchemaObject): Shape;
  meet(a: Shape, b: Shape, at: SchemaObject): Shape;
  join(a: Shape, b: Shape, at: SchemaObject): Shape;
}
