/** `/v1/models` and the loading and unloading of models. */
import type { LoadProgress } from "../../../mod.ts";
import { type Call, json } from "../context.ts";
import { ApiError, asApiError, errorBody } from "../errors.ts";
import { readFields } from "../fields.ts";
import type { ModelChange, ModelStatus } from "../host.ts";
import { eventStream, type ServerEvent } from "../sse.ts";

/** When the server began; OpenAI's form wants a time. */
const started = Math.floor(Date.now() / 1000);

function described({ entry, state, model, error, progress }: ModelStatus): Record<string, unknown> {
  return {
    id: entry.id,
    object: "model",
    created: started,
    owned_by: "webgguf",
    aliases: entry.aliases,
    status: {
      value: state,
      ...(error !== undefined && { failed: true, error }),
      ...(progress && { progress: progressOf(progress) }),
    },
    ...(model && {
      meta: {
        n_ctx: model.contextLength,
        n_vocab: sizeOf(model),
        architecture: model.architecture,
        device: model.device.name,
        memory: model.memory,
      },
    }),
  };
}

/** How far a load or a download is, as llama-server tells it, with the bytes. */
const progressOf = ({ stage, loaded, total }: LoadProgress): Record<string, unknown> => ({
  ...{ stages: [stage], current: stage, value: total > 0 ? loaded / total : 0 },
  ...{ loaded, total },
});

/** Size of the vocabulary; null for files without a tokenizer. */
function sizeOf(model: NonNullable<ModelStatus["model"]>): number | null {
  try {
    return model.tokenizer.size;
  } catch {
    return null;
  }
}

export function listModels({ host }: Call): Response {
  return json({ object: "list", data: host.list().map(described) });
}

export function oneModel({ host, params }: Call): Response {
  const name = params.model;
  const found = host.list().find(({ entry }) => entry.id === name || entry.aliases.includes(name));
  if (!found)
    throw new ApiError(404, `There is no model ${JSON.stringify(name).slice(0, 100)}`, {
      param: "model",
    });
  return json(described(found));
}

export async function loadModels({ request, options, host, signal }: Call): Promise<Response> {
  const body = await readFields(request, options);
  await host.load(body.required("model", body.text("model")), signal);
  return json({ success: true });
}

export async function unloadModels({ request, options, host }: Call): Promise<Response> {
  const body = await readFields(request, options);
  await host.unload(body.required("model", body.text("model")));
  return json({ success: true });
}

/** `POST /models`: begins to fetch a model from the hub. */
export async function fetchModel({ request, options, host }: Call): Promise<Response> {
  const body = await readFields(request, options);
  const entry = host.download(body.required("model", body.text("model")));
  return json({ success: true, model: entry.id });
}

/** `DELETE /models?model=`. */
export async function removeModel({ host, url }: Call): Promise<Response> {
  const name = url.searchParams.get("model");
  if (name === null)
    throw new ApiError(400, "Cannot remove a model: model is missing in the query", {
      param: "model",
    });
  await host.remove(name);
  return json({ success: true });
}

/** `/models/sse`: what happens to the models, as it happens. */
export function watchModels({ host, options }: Call): Response {
  return eventStream(
    (signal) => changes(host, signal),
    (error) => ({ data: errorBody(asApiError(error), true) }),
    options.pingSeconds,
  );
}

async function* changes(host: Call["host"], signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const waiting: ModelChange[] = [];
  let wake: (() => void) | undefined;
  const stop = host.watch((change) => {
    // Of reports of one progress only the latest is worth sending.
    const last = waiting.at(-1);
    if (last && "progress" in last && "progress" in change && last.id === change.id) waiting.pop();
    waiting.push(change);
    wake?.();
  });
  const leave = (): void => wake?.();
  const ends = [signal, host.closing];
  for (const end of ends) end.addEventListener("abort", leave);
  try {
    for (;;) {
      while (waiting.length > 0) yield { data: changeOf(waiting.shift()!) };
      if (ends.some(({ aborted }) => aborted)) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    for (const end of ends) end.removeEventListener("abort", leave);
    stop();
  }
}

function changeOf(change: ModelChange): Record<string, unknown> {
  const { id: model } = change;
  if ("removed" in change)
    return change.error === undefined
      ? { model, event: "model_removed", data: {} }
      : { model, event: "download_failed", data: { error: change.error } };
  const { state: status, progress } = change;
  const event = status === "downloading" && progress ? "download_progress" : "status_change";
  return { model, event, data: { status, ...(progress && { progress: progressOf(progress) }) } };
}
