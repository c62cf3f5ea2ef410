/** How a model gets here: with the page, from a file, from a server. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { engine } from "../engine/client.ts";
import {
  BUNDLED,
  download,
  loadBundled,
  loadFiles,
  loadReference,
  loadWith,
  pick,
  problem,
  reopen,
  reopenable,
} from "../state/models.ts";
import { settings } from "../state/settings.ts";
import { words } from "../words.ts";
import { bytes, seconds, thousands } from "./format.ts";
import { Icon } from "./icons.tsx";

export function ModelChoice(): JSX.Element {
  const [reference, setReference] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const bundled = engine.state.value.model?.reference === BUNDLED;
  const busy = download.value !== undefined;
  const again = reopenable.value;
  const fetchIt = (event: Event): void => {
    event.preventDefault();
    const wanted = reference.trim();
    if (wanted !== "") void loadReference(wanted);
  };
  return (
    <div class="choice">
      {again !== undefined && (
        <button
          type="button"
          class="primary wide"
          onClick={() => void reopen(`file:${again}`, true)}
        >
          Open {again} again
        </button>
      )}
      {!bundled && (
        <button
          type="button"
          id="bundled"
          class={again === undefined ? "primary wide" : "wide"}
          disabled={busy}
          onClick={() => void loadBundled()}
        >
          Try the bundled model <small>2 MB, tells small stories</small>
        </button>
      )}
      <button
        type="button"
        class="wide"
        id="choose"
        onClick={async () => {
          if (!(await pick())) input.current?.click();
        }}
      >
        <Icon name="file" />
        Open a GGUF file <small>or drop it here; all parts of a split one</small>
      </button>
      <input
        type="file"
        id="file"
        class="hidden"
        accept=".gguf"
        multiple
        ref={input}
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          void loadFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      <form class="fetch" onSubmit={fetchIt}>
        <label for="reference">From Hugging Face or another server</label>
        <div class="row">
          <input
            id="reference"
            value={reference}
            placeholder="hf:USER/REPO or https://…"
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setReference(event.currentTarget.value)}
          />
          <button type="submit" disabled={busy || reference.trim() === ""}>
            Fetch
          </button>
        </div>
        <p class="hint">It is fetched once, checked, and kept in this browser.</p>
      </form>
    </div>
  );
}

/** What is under way with a model, and what went wrong. */
export function ModelState(): JSX.Element {
  const { status, name, progress = 0, error } = engine.state.value;
  const coming = download.value;
  return (
    <div class="model-state">
      {coming && (
        <section class="coming" aria-label="Download">
          <p>
            <strong>{coming.reference}</strong>
          </p>
          <progress aria-label="Download" max={coming.total || 1} value={coming.loaded} />
          <p class="figures">
            <span>
              {bytes(coming.loaded)}
              {coming.total > 0 && ` of ${bytes(coming.total)}`}
              {coming.rate !== undefined && ` · ${bytes(coming.rate)}/s`}
              {coming.secondsLeft !== undefined && ` · ${seconds(coming.secondsLeft)} left`}
              {coming.from !== undefined && ` · from ${coming.from}`}
            </span>
            <button type="button" onClick={() => coming.stop.abort()}>
              Cancel
            </button>
          </p>
          <p class="hint">What has come is kept: the next time goes on from there.</p>
        </section>
      )}
      {status === "loading" && (
        <section class="coming" aria-label="Loading">
          <p>
            Loading <strong>{name?.label}</strong>
          </p>
          <progress aria-label="Loading the model" max={1} value={progress} />
          <p class="figures">
            <span>{Math.round(progress * 100)} %</span>
            <button type="button" onClick={() => void engine.unload()}>
              Cancel
            </button>
          </p>
        </section>
      )}
      {problem.value !== "" && !error && <Failure text={problem.value} />}
      {status === "failed" && error && (
        <Failure text={words(error)}>
          {["device/out-of-memory", "device/limit"].includes(error.code ?? "") && <Smaller />}
        </Failure>
      )}
    </div>
  );
}

function Failure({
  text,
  children,
}: {
  text: string;
  children?: JSX.Element | false;
}): JSX.Element {
  return (
    <div class="failure" role="alert" id="error">
      <Icon name="warn" />
      <div>
        <p>{text}</p>
        {children}
      </div>
    </div>
  );
}

/** The way on where memory did not suffice. */
function Smaller(): JSX.Element {
  const tried = settings.value.contextLength || 4096;
  const contexts = [tried >> 1, tried >> 2].filter((context) => context >= 256);
  return (
    <p class="row">
      {contexts.map((context) => (
        <button type="button" key={context} onClick={() => void loadWith(context)}>
          Try a context of {thousands(context)}
        </button>
      ))}
    </p>
  );
}
