/** Schemas by ajv. */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

export function validator(schema: unknown): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 9 });
  addFormats.default(ajv);
  return ajv.compile(schema as object) as (value: unknown) => boolean;
}
