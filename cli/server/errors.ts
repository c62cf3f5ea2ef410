/** What goes wrong, as a client is told: a status, a type of llama-server's, a message, the field. */
import { WebggufError } from "../../mod.ts";

/** llama-server's types of errors, by status. */
const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  408: "timeout_error",
  413: "invalid_request_error",
  429: "rate_limit_error",
  500: "server_error",
  501: "not_supported_error",
  503: "unavailable_error",
};

/** Thrown by handlers; the app answers with it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly type: string;
  /** The field of the request that is wrong. */
  readonly param: string | null;
  /** Further fields of the error, such as `n_ctx`. */
  readonly more: Readonly<Record<string, unknown>>;
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    message: string,
    details: {
      param?: string;
      type?: string;
      more?: Readonly<Record<string, unknown>>;
      retryAfter?: number;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.type = details.type ?? TYPES[status] ?? "server_error";
    this.param = details.param ?? null;
    this.more = details.more ?? {};
    this.retryAfter = details.retryAfter;
  }
}

/** Refuses a field: `name` must be `expected`, and is `actual`. */
export function refuse(name: string, expected: string, actual: unknown): never {
  const shown = JSON.stringify(actual) ?? String(actual);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  throw new ApiError(400, `Cannot use ${name}: it must be ${expected}, not ${short}`, {
    param: name,
  });
}

/** Codes of the engine's errors that are the request's fault. */
const STATUS: Readonly<Record<string, number>> = {
  "input/invalid": 400,
  "template/failed": 400,
  "context/overflow": 400,
  "model/unsupported": 501,
  "model/no-tokenizer": 501,
  "device/lost": 503,
  "session/disposed": 503,
};

/** Any error as one that a client may see. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof WebggufError))
    return new ApiError(500, "The server failed; its log says more");
  const status = STATUS[error.code] ?? (error.code.startsWith("grammar/") ? 400 : 500);
  if (error.code === "context/overflow")
    return new ApiError(status, error.message, {
      type: "exceed_context_size_error",
      more: { n_prompt_tokens: Number(error.actual ?? 0), n_ctx: Number(error.expected ?? 0) },
    });
  return new ApiError(status, error.message, error.key === undefined ? {} : { param: error.key });
}

/** The body of an error in OpenAI's shape: `code` is a text there, llama-server's own routes give the status. */
export const errorBody = (error: ApiError, native: boolean): unknown => ({
  error: {
    code: native ? error.status : error.type,
    message: error.message,
    type: error.type,
    param: error.param,
    ...error.more,
  },
});

/** The body of an error in Anthropic's shape. */
export const anthropicErrorBody = (error: ApiError): unknown => ({
  type: "error",
  error: { type: error.type, message: error.message },
});
