/** The nodes that are evaluated here, with the fields that `@huggingface/jinja` gives them. */
import type { Node } from "./package.ts";

export type Named = Node & { value: string };
export type Binary = Node & { operator: { value: string }; left: Node; right: Node };
export type CallNode = Node & { callee: Node; args: Node[] };
export type FilterNode = Node & { operand: Node; filter: Node };
export type FilterBlock = Node & { body: Node[]; filter: Node };
export type TestNode = Node & { operand: Node; negate: boolean; test: Named };
export type Member = Node & { object: Node; property: Node; computed: boolean };
export type Slice = Node & { start?: Node; stop?: Node; step?: Node };
export type Sequence = Node & { value: Node[] };
export type Mapping = Node & { value: Map<Node, Node> };
export type For = Node & { loopvar: Node; iterable: Node; body: Node[]; defaultBlock: Node[] };
export type Select = Node & { lhs: Node; test: Node };
export type Spread = Node & { argument: Node };
export type Keyword = Node & { key: Named; value: Node };
