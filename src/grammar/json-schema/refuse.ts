/** The one way in which a schema is turned down. */
import { WebggufError } from "../../base/errors.ts";

/** A schema that cannot be enforced: what stands in the way, at which keyword and JSON pointer. */
export function refuse(keyword: string, pointer: string, what: string): never {
  throw new WebggufError(
    "grammar/unsupported",
    `Cannot enforce "${keyword}" at ${pointer || "the root"} of the schema: ${what}`,
    { keyword, pointer },
  );
}

/** A schema that says something that no draft allows. */
export function malformed(keyword: string, pointer: string, what: string): never {
  throw new WebggufError(
    "grammar/invalid",
    `Cannot read "${keyword}" at ${pointer || "the root"} of the schema: ${what}`,
    { keyword, pointer },
  );
}
