/** `/v1/stream`: streams that outlive their client, read again and stopped by their conversation. */
import { type Call, json } from "../context.ts";
import { refuse } from "../errors.ts";
import { readFields } from "../fields.ts";

const conversationOf = ({ url, params }: Call): string =>
  params.id ?? url.searchParams.get("conv_id") ?? "";

export function replayStream(call: Call): Response {
  const given = call.url.searchParams.get("from") ?? "0";
  const from = Number(given);
  if (!Number.isSafeInteger(from) || from < 0)
    refuse("from", "a whole number of at least 0", given);
  const body = call.streams.replay(conversationOf(call), from);
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

export async function stopStream(call: Call): Promise<Response> {
  await call.streams.stop(conversationOf(call));
  return json({ success: true });
}

export async function lookupStreams({ request, options, streams }: Call): Promise<Response> {
  const body = await readFields(request, options);
  const ids = body.required("conversation_ids", body.texts("conversation_ids"));
  const found = ids.flatMap((id) => {
    const kept = streams.find(id);
    return kept ? [{ conversation_id: id, ...kept }] : [];
  });
  return json({ streams: found });
}
