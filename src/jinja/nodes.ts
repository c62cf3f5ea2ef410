/** The syntax tree of a template. `at` is where a node begins in the source, in UTF-16 units. */
import type { Value } from "./values.ts";

/** A parsed template. */
export interface Template {
  readonly source: string;
  readonly body: readonly Statement[];
}

interface Node {
  readonly at: number;
}

/** What stands between tags, tags, and the blocks that they make. */
export type Statement =
  | Text
  | Print
  | SetVariable
  | SetBlock
  | If
  | For
  | LoopControl
  | Macro
  | CallBlock
  | FilterBlock;

export type Body = readonly Statement[];

export interface Text extends Node {
  readonly kind: "text";
  readonly text: string;
}
/** `{{ value }}` */
export interface Print extends Node {
  readonly kind: "print";
  readonly value: Expression;
}
/** `{% set target = value %}` */
export interface SetVariable extends Node {
  readonly kind: "set";
  readonly target: Target;
  readonly value: Expression;
}
/** `{% set target %}…{% endset %}` */
export interface SetBlock extends Node {
  readonly kind: "set block";
  readonly target: Target;
  readonly body: Body;
}
/** `{% if %}…{% elif %}…{% else %}…{% endif %}` */
export interface If extends Node {
  readonly kind: "if";
  readonly branches: readonly { readonly test: Expression; readonly body: Body }[];
  readonly otherwise: Body;
}
/** `{% for target in iterable if filter %}…{% else %}…{% endfor %}` */
export interface For extends Node {
  readonly kind: "for";
  readonly target: Target;
  readonly iterable: Expression;
  readonly filter: Expression | undefined;
  readonly body: Body;
  /** Run when there is nothing to loop over. */
  readonly otherwise: Body;
}
export interface LoopControl extends Node {
  readonly kind: "break" | "continue";
}
/** What a macro or the body of a call block takes when it is called. */
export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly fallback?: Expression }[];
  /** True where the body reads `varargs` or `kwargs`; other arguments too many are errors. */
  readonly varargs: boolean;
  readonly kwargs: boolean;
}
/** `{% macro name(parameters) %}…{% endmacro %}` */
export interface Macro extends Node {
  readonly kind: "macro";
  readonly name: string;
  readonly signature: Signature;
  readonly body: Body;
}
/** `{% call(parameters) macro(…) %}…{% endcall %}` */
export interface CallBlock extends Node {
  readonly kind: "call block";
  readonly call: Call;
  readonly signature: Signature;
  readonly body: Body;
}
/** `{% filter name | … %}…{% endfilter %}` */
export interface FilterBlock extends Node {
  readonly kind: "filter block";
  readonly filters: readonly FilterCall[];
  readonly body: Body;
}

/** What can be assigned to: a name, an entry of a namespace, or several targets at once. */
export type Target =
  | Name
  | (Node & { readonly kind: "entry"; readonly namespace: string; readonly name: string })
  | (Node & { readonly kind: "targets"; readonly targets: readonly Target[] });

export type Expression =
  | Literal
  | Name
  | List
  | Mapping
  | Unary
  | Binary
  | Ternary
  | Member
  | Subscript
  | Slice
  | Call
  | Filter
  | Test;

/** A number, a text, true, false or none. */
export interface Literal extends Node {
  readonly kind: "literal";
  readonly value: Value;
}
export interface Name extends Node {
  readonly kind: "name";
  readonly name: string;
}
export interface List extends Node {
  readonly kind: "list" | "tuple";
  readonly items: readonly Expression[];
}
export interface Mapping extends Node {
  readonly kind: "mapping";
  readonly entries: readonly (readonly [Expression, Expression])[];
}
export interface Unary extends Node {
  readonly kind: "unary";
  readonly operator: "not" | "-" | "+";
  readonly operand: Expression;
}
export interface Binary extends Node {
  readonly kind: "binary";
  readonly operator: string;
  readonly left: Expression;
  readonly right: Expression;
}
/** `value if test else otherwise`; undefined without an `else`. */
export interface Ternary extends Node {
  readonly kind: "ternary";
  readonly test: Expression;
  readonly value: Expression;
  readonly otherwise: Expression | undefined;
}
/** `object.name` */
export interface Member extends Node {
  readonly kind: "member";
  readonly object: Expression;
  readonly name: string;
}
/** `object[key]`, and `object.0` */
export interface Subscript extends Node {
  readonly kind: "subscript";
  readonly object: Expression;
  readonly key: Expression;
}
/** `object[start:stop:step]` */
export interface Slice extends Node {
  readonly kind: "slice";
  readonly object: Expression;
  readonly start: Expression | undefined;
  readonly stop: Expression | undefined;
  readonly step: Expression | undefined;
}

/** One argument of a call: `value`, `name=value`, `*value` or `**value`. */
export interface Argument {
  readonly kind: "value" | "*" | "**";
  readonly name?: string;
  readonly value: Expression;
}
export interface Call extends Node {
  readonly kind: "call";
  readonly callee: Expression;
  readonly args: readonly Argument[];
}
/** A filter or test by name, with its arguments. */
export interface FilterCall {
  readonly at: number;
  readonly name: string;
  readonly args: readonly Argument[];
}
/** `operand | name(args)` */
export interface Filter extends Node {
  readonly kind: "filter";
  readonly operand: Expression;
  readonly filter: FilterCall;
}
/** `operand is name(args)` */
export interface Test extends Node {
  readonly kind: "test";
  readonly operand: Expression;
  readonly test: FilterCall;
  readonly negated: boolean;
}
