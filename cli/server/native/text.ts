/** `/tokenize`, `/detokenize`, `/apply-template`, and the counting of a request's tokens. */
import { type Call, json, withLease } from "../context.ts";
import { readMessages, readRendering, readTools } from "../conversation.ts";
import { refuse } from "../errors.ts";
import { readFields } from "../fields.ts";
import { readToolChoice } from "../openai/chat.ts";

export async function tokenize(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return withLease(call, body.text("model"), async ({ served }) => {
    const { tokenizer } = served.model;
    const content = body.text("content") ?? "";
    const ids = tokenizer.encode(content, {
      addSpecial: body.flag("add_special") ?? false,
      parseSpecial: body.flag("parse_special") ?? true,
    });
    if (!body.flag("with_pieces")) return json({ tokens: [...ids] });
    const utf8 = new TextDecoder("utf-8", { fatal: true });
    const pieces = [...ids].map((id) => {
      const bytes = tokenizer.bytes(id, true);
      try {
        return { id, piece: utf8.decode(bytes) };
      } catch {
        return { id, piece: [...bytes] };
      }
    });
    return json({ tokens: pieces });
  });
}

export async function detokenize(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return withLease(call, body.text("model"), async ({ served }) => {
    const { tokenizer } = served.model;
    const tokens = body.list("tokens") ?? [];
    for (const id of tokens)
      if (!Number.isInteger(id) || Number(id) < 0 || Number(id) >= tokenizer.size)
        refuse("tokens", `a list of token ids below ${tokenizer.size}`, id);
    return json({ content: tokenizer.decode(tokens as number[], { unparseSpecial: true }) });
  });
}

export async function applyTemplate(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return withLease(call, body.text("model"), async ({ served }) => {
    const messages = readMessages(body);
    const tools = readToolChoice(body) === "none" ? undefined : readTools(body);
    const { text } = served.model.render(messages, {
      ...readRendering(body, messages),
      ...(tools && { tools }),
    });
    return json({ prompt: text });
  });
}

/** `/v1/chat/completions/input_tokens`. */
export async function inputTokens(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return withLease(call, body.text("model"), async ({ served }) => {
    const messages = readMessages(body);
    const tools = readToolChoice(body) === "none" ? undefined : readTools(body);
    const { tokens } = served.model.render(messages, {
      ...readRendering(body, messages),
      ...(tools && { tools }),
    });
    return json({ object: "response.input_tokens", input_tokens: tokens.length });
  });
}
