/** `/health`, `/props`, `/slots` and `/metrics`. */
import type { Model } from "../../../mod.ts";
import { type Call, json } from "../context.ts";
import { ApiError } from "../errors.ts";

export function health({ host }: Call): Response {
  const single = host.single && host.list()[0];
  if (single?.state === "loading")
    throw new ApiError(503, "Loading model", { type: "unavailable_error" });
  if (single?.error !== undefined) throw new ApiError(503, single.error);
  return json({ status: "ok" });
}

export async function props({ host, options, url, signal }: Call): Promise<Response> {
  const name = url.searchParams.get("model") ?? undefined;
  if (!host.single && name === undefined)
    return json({
      role: "router",
      build_info: `webgguf ${options.version}`,
      models: host.list().length,
    });
  const { served, release } = await host.lease(name, signal);
  try {
    const { model, slots, id } = served;
    return json({
      default_generation_settings: { n_ctx: model.contextLength, params: {} },
      total_slots: slots.all.length,
      model_alias: id,
      model_path: host.list().find(({ entry }) => entry.id === id)!.entry.source,
      modalities: { vision: false, audio: false },
      chat_template: templateOf(model),
      bos_token: tokenOf(model, "bos"),
      eos_token: tokenOf(model, "eos"),
      build_info: `webgguf ${options.version}`,
      is_sleeping: false,
      device: model.device,
    });
  } finally {
    release();
  }
}

const templateOf = ({ file }: Model): string => {
  const template = file.metadata.get("tokenizer.chat_template");
  return typeof template === "string" ? template : "";
};

function tokenOf(model: Model, name: "bos" | "eos"): string {
  const id = model.tokenizer[name];
  return id === undefined ? "" : model.tokenizer.token(id);
}

export function slots({ host, options, url }: Call): Response {
  if (!options.slots)
    throw new ApiError(501, "This server does not tell of its slots; start it with --slots");
  const all = host.loaded().flatMap(({ id, model, slots }) =>
    slots.all.map((slot) => ({
      id: slot.id,
      id_task: slot.task?.id ?? -1,
      model: id,
      n_ctx: model.contextLength,
      is_processing: slot.task !== undefined,
      n_past: slot.session.tokens.length,
      n_decoded: slot.task?.decoded ?? 0,
    })),
  );
  if (url.searchParams.get("fail_on_no_slot") === "1" && all.every((slot) => slot.is_processing))
    throw new ApiError(503, "No slot is free");
  return json(all);
}

export function metrics({ host, options }: Call): Response {
  if (!options.metrics)
    throw new ApiError(501, "This server does not tell its metrics; start it with --metrics");
  const loaded = host.loaded();
  const text = loaded
    .map(({ metrics, slots }) => metrics.text(slots.busy, slots.waiting))
    .join("\n");
  return new Response(text, { headers: { "Content-Type": "text/plain; version=0.0.4" } });
}
