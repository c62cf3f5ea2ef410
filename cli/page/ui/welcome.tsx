/** Empty states: each says what to do next. */
import type { JSX } from "preact";
import { engine } from "../engine/client.ts";
import { send } from "../state/answers.ts";
import { BUNDLED } from "../state/models.ts";
import { ModelChoice, ModelState } from "./model-choice.tsx";

const examples: readonly string[] = [
  "Tell me a story about a fox who lost a hat.",
  "What is 7 + 5?",
  "Explain how a rainbow comes about.",
];

export function Empty(): JSX.Element {
  const { status, model } = engine.state.value;
  if (status !== "ready" || !model)
    return (
      <section class="empty first" aria-labelledby="welcome">
        <h1 id="welcome">A model, a browser, and nobody else</h1>
        <p>
          Language models run here on your own graphics card. No account, no server; what you write
          stays in this browser.
        </p>
        <ModelState />
        {status !== "loading" && <ModelChoice />}
      </section>
    );
  const shown = model.reference === BUNDLED ? examples.slice(0, 2) : examples.slice(2);
  return (
    <section class="empty" aria-labelledby="welcome">
      <h1 id="welcome">What would you like to know?</h1>
      <p>
        {model.label} answers on {model.device}
        {model.software ? ", a graphics card in software: slowly" : ""}.
      </p>
      <ul class="examples" aria-label="Examples">
        {shown.map((text) => (
          <li key={text}>
            <button type="button" onClick={() => void send(text, [])}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
