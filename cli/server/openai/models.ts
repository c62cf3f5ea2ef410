/** `/v1/models` and the loading and unloading of models. */
import { type Call, json } from "../context.ts";
import { ApiError } from "../errors.ts";
import { readFields } from "../fields.ts";
import type { ModelStatus } from "../host.ts";

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
      ...(progress && {
        progress: { stage: progress.stage, value: progress.loaded / progress.total },
      }),
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
