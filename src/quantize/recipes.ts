/** Names of recipes: which type most tensors get, and the number that `general.file_type` has for it. */
import { WebggufError } from "../base/errors.ts";
import { nearest, quoted } from "../base/text.ts";

export interface Recipe {
  /** llama.cpp's name: `Q4_K_M`. */
  readonly name: string;
  /** `general.file_type`. */
  readonly fileType: number;
  /** Name of the tensor type that all begin with; undefined: tensors are copied as they are. */
  readonly type: string | undefined;
}

const recipe = (name: string, fileType: number, type: string | undefined = name): Recipe =>
  Object.freeze({ name, fileType, type });

export const recipes: readonly Recipe[] = Object.freeze([
  recipe("Q1_0", 40),
  recipe("Q2_0", 41),
  recipe("Q4_0", 2),
  recipe("Q4_1", 3),
  recipe("MXFP4_MOE", 38, "MXFP4"),
  recipe("Q5_0", 8),
  recipe("Q5_1", 9),
  recipe("IQ2_XXS", 19),
  recipe("IQ2_XS", 20),
  recipe("IQ2_S", 28, "IQ2_XS"),
  recipe("IQ2_M", 29, "IQ2_S"),
  recipe("IQ1_S", 24),
  recipe("IQ1_M", 31),
  recipe("TQ1_0", 36),
  recipe("TQ2_0", 37),
  recipe("Q2_K", 10),
  recipe("Q2_K_S", 21, "Q2_K"),
  recipe("IQ3_XXS", 23),
  recipe("IQ3_S", 26),
  recipe("IQ3_M", 27, "IQ3_S"),
  recipe("IQ3_XS", 22, "IQ3_S"),
  recipe("Q3_K_S", 11, "Q3_K"),
  recipe("Q3_K_M", 12, "Q3_K"),
  recipe("Q3_K_L", 13, "Q3_K"),
  recipe("IQ4_NL", 25),
  recipe("IQ4_XS", 30),
  recipe("Q4_K_S", 14, "Q4_K"),
  recipe("Q4_K_M", 15, "Q4_K"),
  recipe("Q5_K_S", 16, "Q5_K"),
  recipe("Q5_K_M", 17, "Q5_K"),
  recipe("Q6_K", 18),
  recipe("Q8_0", 7),
  recipe("F16", 1),
  recipe("BF16", 32),
  recipe("F32", 0),
  Object.freeze({ name: "COPY", fileType: 0, type: undefined }),
]);

/** The recipe of a name in any case, of its number, or of `Q3_K`, `Q4_K` or `Q5_K`, which mean the one with _M. */
export function findRecipe(name: string): Recipe | undefined {
  const upper = name.toUpperCase();
  const whole = /^Q[345]_K$/.test(upper) ? `${upper}_M` : upper;
  return recipes.find((one) => one.name === whole || String(one.fileType) === whole);
}

/** {@link findRecipe}'s; a name that is none's is `input/invalid`. */
export function recipeOf(name: string): Recipe {
  const found = findRecipe(name);
  if (found) return found;
  const names = recipes.map((one) => one.name);
  const near = nearest(name.toUpperCase(), names);
  throw new WebggufError(
    "input/invalid",
    `Cannot quantise to ${quoted(name)}: there is no such type; ${near ? `did you mean ${near}?` : `the types are ${names.join(", ")}`}`,
    { expected: names, actual: name },
  );
}
