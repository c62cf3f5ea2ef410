/** The chunk of quantising, which is fetched only by who quantises. */
export {
  type Importance,
  type ImportanceFile,
  importanceOf,
  readImportance,
} from "./importance.ts";
export {
  type ImportanceStatistics,
  importanceDat,
  importanceGguf,
  importanceStatistics,
  joinImportance,
} from "./importance-files.ts";
export type { PlannedTensor } from "./plan.ts";
export { planFile, writePart } from "./quantize.ts";
export { recipeOf } from "./recipes.ts";
