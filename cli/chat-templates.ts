/**
 * The templates that `--chat-template` knows by llama.cpp's names, for files that bring none or a wrong
 * one: how system, user and assistant speak, and what begins the answer. Written in short:
 * `{c}` the content, `{t}` the content trimmed, `{r}` the role.
 */

import { nearest } from "../src/base/nearest.ts";
import { usage } from "./flags.ts";

/** Names of templates that some files bring beside their first. */
const OWN_VARIANTS: ReadonlySet<string> = new Set(["default", "rag", "tool_use"]);

const WORDS: Readonly<Record<string, string>> = {
  "{c}": "m.content",
  "{t}": "m.content | trim",
  "{r}": "m.role",
  "{R}": '"HUMAN" if m.role == "user" else m.role | upper',
  "{Role}": "m.role | capitalize",
  "{bos}": '"" if loop.first else "<s>"',
  "{answer}": '"Assistant:" if loop.last else ""',
  "{system}": 'ns.system ~ "\\n\\n" if ns.system else ""',
};

/** Text with words in braces as Jinja that prints it. */
const print = (text: string): string => {
  const parts = text.split(/(\{[a-zA-Z]+\})/).filter(Boolean);
  return `{{ ${parts.map((part) => (WORDS[part] ? `(${WORDS[part]})` : JSON.stringify(part))).join(" ~ ") || '""'} }}`;
};
const each = (body: string, begin: string, answer: string): string =>
  `${print(begin)}{% for m in messages %}${body}{% endfor %}` +
  `{% if add_generation_prompt %}${print(answer)}{% endif %}`;

/** Everyone speaks alike. */
const alike = (turn: string, answer: string, begin = ""): string =>
  each(print(turn), begin, answer);

/** Each role in its own way. */
const roles = (
  system: string,
  user: string,
  assistant: string,
  answer: string,
  begin = "",
): string =>
  each(
    `{% if m.role == "system" %}${print(system)}{% elif m.role == "assistant" %}${print(assistant)}{% else %}${print(user)}{% endif %}`,
    begin,
    answer,
  );

/** What the system says stands in the turn of the user that follows, which `open` begins. */
const turns = (open: string, system: string, user: string, assistant: string): string =>
  `{% set ns = namespace(open=false) %}${each(
    `{% if not ns.open %}${print(open)}{% endif %}{% set ns.open = m.role != "assistant" %}` +
      `{% if m.role == "system" %}${print(system)}{% elif m.role == "assistant" %}${print(assistant)}{% else %}${print(user)}{% endif %}`,
    "",
    "",
  )}`;

/** What the system says is kept for `{system}` in the user's turn. */
const merged = (user: string, assistant: string, answer: string): string =>
  `{% set ns = namespace(system="") %}${each(
    `{% if m.role == "system" %}{% set ns.system = ns.system ~ m.content | trim %}` +
      `{% elif m.role == "assistant" %}${print(assistant)}{% else %}${print(user)}{% set ns.system = "" %}{% endif %}`,
    "",
    answer,
  )}`;

const LLAMA2_SYSTEM = "<<SYS>>\n{c}\n<</SYS>>\n\n";
const EXAONE = roles(
  "[|system|]{t}[|endofturn|]\n",
  "[|user|]{t}\n",
  "[|assistant|]{t}[|endofturn|]\n",
  "[|assistant|]",
);

/** Template text by name. */
export const CHAT_TEMPLATES: Readonly<Record<string, string>> = {
  bailing: alike("<role>{R}</role>{c}", "<role>ASSISTANT</role>"),
  "bailing-think": alike("<role>{R}</role>{c}", "<role>ASSISTANT</role><think>"),
  bailing2: alike("<role>{R}</role>{c}<|role_end|>", "<role>ASSISTANT</role>"),
  chatglm3: alike("<|{r}|>\n {c}", "<|assistant|>", "[gMASK]sop"),
  chatglm4: alike("<|{r}|>\n{c}", "<|assistant|>\n", "[gMASK]<sop>"),
  chatml: alike("<|im_start|>{r}\n{c}<|im_end|>\n", "<|im_start|>assistant\n"),
  "command-r": roles(
    "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{t}<|END_OF_TURN_TOKEN|>",
    "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{t}<|END_OF_TURN_TOKEN|>",
    "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{t}<|END_OF_TURN_TOKEN|>",
    "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
  ),
  deepseek: roles(
    "{c}",
    "### Instruction:\n{c}\n",
    "### Response:\n{c}\n<|EOT|>\n",
    "### Response:\n",
  ),
  deepseek2: roles("{c}\n\n", "User: {c}\n\n", "Assistant: {c}<｜end▁of▁sentence｜>", "Assistant:"),
  deepseek3: roles(
    "{c}\n\n",
    "<｜User｜>{c}",
    "<｜Assistant｜>{c}<｜end▁of▁sentence｜>",
    "<｜Assistant｜>",
  ),
  "deepseek-ocr": alike("{c}", ""),
  exaone3: EXAONE,
  exaone4: EXAONE,
  "exaone-moe": alike("<|{r}|>\n{t}<|endofturn|>\n", "<|assistant|>\n"),
  falcon3: alike("<|{r}|>\n{c}\n", "<|assistant|>\n"),
  gemma: merged(
    "<start_of_turn>user\n{system}{t}<end_of_turn>\n",
    "<start_of_turn>model\n{t}<end_of_turn>\n",
    "<start_of_turn>model\n",
  ),
  gigachat: roles(
    "{c}<|message_sep|>",
    "user<|role_sep|>{c}<|message_sep|>available functions<|role_sep|>[]<|message_sep|>",
    "assistant<|role_sep|>{c}<|message_sep|>",
    "assistant<|role_sep|>",
    "<s>",
  ),
  glmedge: alike("<|{r}|>\n{c}", "<|assistant|>"),
  "gpt-oss": roles(
    "<|start|>system<|message|>{c}<|end|>",
    "<|start|>{r}<|message|>{c}<|end|>",
    "<|start|>assistant<|channel|>final<|message|>{c}<|end|>",
    "<|start|>assistant",
  ),
  granite: alike(
    "<|start_of_role|>{r}<|end_of_role|>{c}<|end_of_text|>\n",
    "<|start_of_role|>assistant<|end_of_role|>",
  ),
  "grok-2": roles(
    "System: {t}<|separator|>\n\n",
    "Human: {t}<|separator|>\n\n",
    "Assistant: {c}<|separator|>\n\n",
    "Assistant:",
  ),
  "hunyuan-dense": roles(
    "{c}<｜hy_place▁holder▁no▁3｜>",
    "<｜hy_User｜>{c}",
    "<｜hy_Assistant｜>{c}<｜hy_place▁holder▁no▁2｜>",
    "<｜hy_Assistant｜>",
    "<｜hy_begin▁of▁sentence｜>",
  ),
  "hunyuan-moe": roles(
    "<|startoftext|>{c}<|extra_4|>",
    "<|startoftext|>{c}<|extra_0|>",
    "{c}<|eos|>",
    "",
  ),
  "kimi-k2": roles(
    "<|im_system|>system<|im_middle|>{c}<|im_end|>",
    "<|im_user|>user<|im_middle|>{c}<|im_end|>",
    "<|im_assistant|>assistant<|im_middle|>{c}<|im_end|>",
    "<|im_assistant|>assistant<|im_middle|>",
  ),
  llama2: turns("[INST] ", "{c}\n", "{c} [/INST]", "{c}</s>"),
  "llama2-sys": turns("[INST] ", LLAMA2_SYSTEM, "{c} [/INST]", "{c}</s>"),
  "llama2-sys-bos": turns("{bos}[INST] ", LLAMA2_SYSTEM, "{c} [/INST]", "{c}</s>"),
  "llama2-sys-strip": turns(
    "[INST] ",
    LLAMA2_SYSTEM.replace("{c}", "{t}"),
    "{t} [/INST]",
    "{t}</s>",
  ),
  llama3: alike(
    "<|start_header_id|>{r}<|end_header_id|>\n\n{t}<|eot_id|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
  ),
  llama4: alike(
    "<|header_start|>{r}<|header_end|>\n\n{t}<|eot|>",
    "<|header_start|>assistant<|header_end|>\n\n",
  ),
  megrez: alike(
    "<|role_start|>{r}<|role_end|>{c}<|turn_end|>",
    "<|role_start|>assistant<|role_end|>",
  ),
  minicpm: roles("{t}", "<用户>{t}<AI>", "{t}", ""),
  "mistral-v1": turns(" [INST] ", "{c}\n\n", "{c} [/INST]", " {c}</s>"),
  "mistral-v3": turns("[INST] ", "{c}\n\n", "{c}[/INST]", " {t}</s>"),
  "mistral-v3-tekken": turns("[INST]", "{c}\n\n", "{c}[/INST]", "{c}</s>"),
  "mistral-v7": roles("[SYSTEM_PROMPT] {c}[/SYSTEM_PROMPT]", "[INST] {c}[/INST]", " {c}</s>", ""),
  "mistral-v7-tekken": roles(
    "[SYSTEM_PROMPT]{c}[/SYSTEM_PROMPT]",
    "[INST]{c}[/INST]",
    "{c}</s>",
    "",
  ),
  monarch: alike("{bos}{r}\n{c}</s>\n", "<s>assistant\n"),
  openchat: roles(
    "{c}<|end_of_turn|>",
    "GPT4 Correct {Role}: {c}<|end_of_turn|>",
    "GPT4 Correct {Role}: {c}<|end_of_turn|>",
    "GPT4 Correct Assistant:",
  ),
  orion: merged("Human: {system}{c}\n\nAssistant: </s>", "{c}</s>", ""),
  phi3: alike("<|{r}|>\n{c}<|end|>\n", "<|assistant|>\n"),
  phi4: alike("<|im_start|>{r}<|im_sep|>{c}<|im_end|>", "<|im_start|>assistant<|im_sep|>"),
  "rwkv-world": roles("System: {t}\n\n", "User: {t}\n\n{answer}", "Assistant: {t}\n\n", ""),
  seed_oss: alike("<seed:bos>{r}\n{t}<seed:eos>", "<seed:bos>assistant\n"),
  smolvlm: roles(
    "{c}\n\n",
    "User: {c}<end_of_utterance>\n",
    "Assistant: {c}<end_of_utterance>\n",
    "Assistant:",
    "<|im_start|>",
  ),
  "solar-open": alike("<|begin|>{r}<|content|>{c}<|end|>", "<|begin|>assistant"),
  vicuna: roles("{c}\n\n", "USER: {c}\n", "ASSISTANT: {c}</s>\n", "ASSISTANT:"),
  "vicuna-orca": roles("SYSTEM: {c}\n", "USER: {c}\n", "ASSISTANT: {c}</s>\n", "ASSISTANT:"),
  yandex: roles(
    "{c}\n\n",
    " Пользователь: {c}\n\n",
    " Ассистент: {c}\n\n",
    " Ассистент:[SEP]",
    "<s>",
  ),
  zephyr: alike("<|{r}|>\n{c}<|endoftext|>\n", "<|assistant|>\n"),
};

/** The template that is meant: llama.cpp's by name, or the text itself; undefined where it is empty. */
export function namedTemplate(given: string): string | undefined {
  if (Object.hasOwn(CHAT_TEMPLATES, given)) return CHAT_TEMPLATES[given];
  if (/^[\w.-]+$/.test(given) && !OWN_VARIANTS.has(given))
    throw usage(
      `There is no chat template called ${given}; names near to it are ${nearest(given, Object.keys(CHAT_TEMPLATES)).join(", ") || "none"}, and docs/cli.md has all`,
    );
  return given.trim() === "" ? undefined : given;
}
