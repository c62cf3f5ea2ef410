/**
 * A WebAssembly assembler: a function's body is built by plain TypeScript calls on typed values, so that loops of
 * TypeScript unroll and loops of WebAssembly are `loop`. Bytes come out at run time, each written once.
 * Instructions are in instructions.ts; the format is the WebAssembly specification's, version 2.
 */

export type Type = "i32" | "f32" | "v128";

const typeCodes: Readonly<Record<Type, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };
const noValue = 0x40;

/** Code that is written out later: bytes, values and lists of them. */
export type Code = number | Expr | readonly Code[];

/** A value: code that leaves it on the stack, as often as it is used. */
export class Expr<T extends Type = Type> {
  readonly type: T;
  readonly code: readonly Code[];
  constructor(type: T, code: readonly Code[]) {
    this.type = type;
    this.code = code;
  }
}
export type I32 = Expr<"i32">;
export type F32 = Expr<"f32">;
export type V128 = Expr<"v128">;

/** A local variable, which can be set. */
export class Local<T extends Type = Type> extends Expr<T> {
  readonly index: number;
  constructor(type: T, index: number) {
    super(type, [0x20, unsigned(index)]);
    this.index = index;
  }
}

/** LEB128 of a whole number ≥ 0. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; ) {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low + 128 : low);
    if (rest === 0) return out;
  }
}

/** LEB128 of a 32-bit number with sign. */
export function signed(value: number): number[] {
  const out: number[] = [];
  for (let rest = value | 0; ; ) {
    const low = rest & 127;
    rest >>= 7;
    const last = (rest === 0 && low < 64) || (rest === -1 && low >= 64);
    out.push(last ? low : low + 128);
    if (last) return out;
  }
}

/** Appends code as bytes. */
function write(code: Code, out: number[]): void {
  if (typeof code === "number") out.push(code);
  else for (const part of code instanceof Expr ? code.code : code) write(part, out);
}

/** A function: it takes 32-bit integers and returns nothing. */
export class FunctionBody {
  readonly name: string;
  readonly index: number;
  readonly params: readonly Local<"i32">[];
  readonly #locals: Type[] = [];
  readonly #code: Code[] = [];

  constructor(name: string, index: number, params: number) {
    this.name = name;
    this.index = index;
    this.params = Array.from({ length: params }, (_, i) => new Local("i32", i));
  }
  /** A new local that holds the value. */
  let<T extends Type>(value: Expr<T>): Local<T> {
    const local = new Local(value.type, this.params.length + this.#locals.push(value.type) - 1);
    this.set(local, value);
    return local;
  }
  set<T extends Type>(local: Local<T>, value: Expr<T>): void {
    this.run(value, 0x21, unsigned(local.index));
  }
  setGlobal(global: Global, value: V128): void {
    this.run(value, 0x24, unsigned(global.index));
  }
  /** Adds an instruction that leaves nothing on the stack. */
  run(...code: Code[]): void {
    this.#code.push(code);
  }
  /** do … while (condition) */
  loop(body: () => void, condition: () => I32): void {
    this.run(0x03, noValue);
    body();
    this.run(condition(), 0x0d, 0, 0x0b);
  }
  when(condition: I32, body: () => void): void {
    this.run(condition, 0x04, noValue);
    body();
    this.run(0x0b);
  }
  call(callee: FunctionBody, ...args: I32[]): void {
    this.run(args, 0x10, unsigned(callee.index));
  }
  bytes(): number[] {
    const out: number[] = [];
    write([list(this.#locals.map((type) => [1, typeCodes[type]])), this.#code, 0x0b], out);
    return out;
  }
}

const list = (items: readonly Code[]): Code => [unsigned(items.length), items];
const text = (value: string): Code => {
  const bytes = Array.from(new TextEncoder().encode(value));
  return [unsigned(bytes.length), bytes];
};

/** What stands in the instance and keeps its value between calls; starts as zero. */
export class Global extends Expr<"v128"> {
  readonly index: number;
  constructor(index: number) {
    super("v128", [0x23, unsigned(index)]);
    this.index = index;
  }
}

/** A module whose functions are exported by their names; its memory is imported as `env.memory`. */
export class ModuleBuilder {
  readonly #functions: FunctionBody[] = [];
  readonly #globals: Global[] = [];
  readonly #shared: boolean;

  /** @param shared whether the memory is one that threads share, of at most 4 GiB */
  constructor(shared = false) {
    this.#shared = shared;
  }

  /** Global number `index` of all functions. */
  global(index: number): Global {
    for (let next = this.#globals.length; next <= index; next++)
      this.#globals.push(new Global(next));
    return this.#globals[index];
  }
  /** Adds a function of `params` integers; it may call the functions before it. */
  define(
    name: string,
    params: number,
    build: (body: FunctionBody, ...params: Local<"i32">[]) => void,
  ): FunctionBody {
    const body = new FunctionBody(name, this.#functions.length, params);
    build(body, ...body.params);
    this.#functions.push(body);
    return body;
  }
  bytes(): Uint8Array<ArrayBuffer> {
    const all = this.#functions;
    const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const section = (id: number, code: Code): void => {
      const bytes: number[] = [];
      write(code, bytes);
      out.push(id, ...unsigned(bytes.length));
      for (const byte of bytes) out.push(byte);
    };
    const sized = (code: Code): Code => {
      const bytes: number[] = [];
      write(code, bytes);
      return [unsigned(bytes.length), bytes];
    };
    const signature = ({ params }: FunctionBody): Code => [
      0x60,
      list(params.map(({ type }) => typeCodes[type])),
      list([]),
    ];
    section(1, list(all.map(signature)));
    const limits = this.#shared ? [3, 0, unsigned(65536)] : [0, 0];
    section(2, list([[text("env"), text("memory"), 2, limits]]));
    section(3, list(all.map(({ index }) => unsigned(index))));
    const zero = [0xfd, 12, new Array<number>(16).fill(0), 0x0b];
    section(6, list(this.#globals.map(({ type }) => [typeCodes[type], 1, zero])));
    section(7, list(all.map(({ name, index }) => [text(name), 0, unsigned(index)])));
    section(10, list(all.map((body) => sized(body.bytes()))));
    const names = list(all.map(({ name, index }) => [unsigned(index), text(name)]));
    section(0, [text("name"), 1, sized(names)]);
    return Uint8Array.from(out);
  }
}
