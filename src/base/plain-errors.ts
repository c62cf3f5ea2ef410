/** Errors on their way between threads, as plain data. */
import { type ErrorCode, WebggufError } from "./errors.ts";

export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: ErrorCode;
  readonly file?: string;
  readonly offset?: number;
  readonly key?: string;
  readonly tensor?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

/** What can be posted whatever it is. */
const postable = (value: unknown): unknown =>
  typeof value === "object" && !Array.isArray(value) ? undefined : value;

export function plainError(error: unknown): PlainError {
  if (error instanceof WebggufError) {
    const { name, message, code, file, offset, key, tensor, expected, actual } = error;
    const found = { expected: postable(expected), actual: postable(actual) };
    return { name, message, code, file, offset, key, tensor, ...found };
  }
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };
}

export function realError(plain: PlainError): Error {
  if (plain.code !== undefined) return new WebggufError(plain.code, plain.message, plain);
  const error = new Error(plain.message);
  error.name = plain.name;
  return error;
}
