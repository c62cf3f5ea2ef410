/** Chat cases of llama.cpp's tests that come out otherwise here, each with its cause. */

export interface ChatDifference {
  readonly id: string;
  readonly cause: string;
}

const SCHEMA =
  "llama.cpp takes the Markdown fence off where a JSON schema was asked for; that is no option here";
const PROMPT = "llama.cpp puts words that the prompt ends with into the reasoning";
const DROPPED = "llama.cpp drops a call of a tool that was not given; here its text is content";
const TAGS = "no known model writes these tags";

export const KNOWN_CHAT_DIFFERENCES: readonly ChatDifference[] = [
  {
    id: "render:chat:5855:NVIDIA-Nemotron-Nano-v2",
    cause: "llama.cpp knows this template by name, and that a thought begins on a line of its own",
  },
  {
    id: "jinja:595",
    cause: "a mapping's keys are told apart as numbers: 1.0 is written as 1",
  },
  {
    id: "jinja:2465#61",
    cause:
      "llama.cpp does not reverse texts, and Python does not write undefined as JSON; both work here",
  },
  { id: "parse:chat:2638:mistralai-Ministral-3-14B-Reasoning-2512", cause: SCHEMA },
  { id: "parse:chat:6292:meta-llama-Llama-3.1-8B-Instruct", cause: SCHEMA },
  { id: "parse:chat:5783:MiniMax-M3", cause: "llama.cpp leaves the model's separators in a text" },
  { id: "parse:chat:6201:Apriel-1.6-15b-Thinker-fixed", cause: PROMPT },
  { id: "parse:chat:6209:Apriel-1.6-15b-Thinker-fixed", cause: PROMPT },
  { id: "parse:chat:6521:openai-gpt-oss-120b", cause: DROPPED },
  { id: "parse:chat:6530:openai-gpt-oss-120b", cause: DROPPED },
  { id: "parse:chat-peg-parser:772:peg-marks", cause: TAGS },
  { id: "parse:chat-peg-parser:856:peg-marks", cause: TAGS },
  {
    id: "parse:chat-auto-parser:2182:peg-marks",
    cause: "no known model writes id and arguments below the function's name",
  },
  {
    id: "parse:chat-auto-parser:2592:ByteDance-Seed-OSS",
    cause: "chat:3491 expects of the same template that a value's last line break stays",
  },
];
