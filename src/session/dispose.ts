/** `Symbol.asyncDispose`, also where the runtime does not have it yet (as compilers' helpers look for it). */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
