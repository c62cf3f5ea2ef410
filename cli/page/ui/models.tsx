/** The pane of models: what is loaded, what is kept, how another gets here. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { FitReport, StoredModel } from "../../../mod.ts";
import { engine } from "../engine/client.ts";
import {
  checkFit,
  fits,
  loadReference,
  loadStored,
  refreshStored,
  removeStored,
  shortName,
  space,
  stored,
} from "../state/models.ts";
import { bytes, thousands } from "./format.ts";
import { IconButton } from "./icons.tsx";
import { Modal } from "./modal.tsx";
import { ModelChoice, ModelState } from "./model-choice.tsx";

export function Models(): JSX.Element {
  useEffect(() => {
    void refreshStored();
  }, []);
  return (
    <Modal title="Models">
      <Loaded />
      <ModelState />
      <Kept />
      <h3>Another model</h3>
      <ModelChoice />
    </Modal>
  );
}

function Loaded(): JSX.Element | null {
  const { model, notice } = engine.state.value;
  if (!model) return null;
  const { weights, cache, arena } = model.memory;
  return (
    <section class="loaded" aria-label="Loaded model">
      <div class="row">
        <strong>{model.label}</strong>
        <button type="button" onClick={() => void engine.unload()}>
          Unload
        </button>
      </div>
      <dl>
        <dt>Computed by</dt>
        <dd>{model.device}</dd>
        <dt>Architecture</dt>
        <dd>{model.architecture}</dd>
        <dt>Context</dt>
        <dd>{thousands(model.contextLength)} tokens</dd>
        <dt>Memory</dt>
        <dd>
          {bytes(weights)} weights{cache > 0 && `, ${bytes(cache)} cache`}, {bytes(arena)} work
        </dd>
        {model.license !== undefined && (
          <>
            <dt>Licence</dt>
            <dd>{model.license}</dd>
          </>
        )}
      </dl>
      {notice !== undefined && <p class="hint">{notice}</p>}
    </section>
  );
}

function Kept(): JSX.Element {
  const all = stored.value;
  const { used, quota } = space.value ?? {};
  return (
    <section aria-label="Stored models">
      <h3>Stored in this browser</h3>
      {all.length === 0 ? (
        <p class="hint">None yet. Models that you fetch are kept here, and work without network.</p>
      ) : (
        <ul class="stored">
          {all.map((model) => (
            <Row key={model.reference} model={model} />
          ))}
        </ul>
      )}
      {used !== undefined && quota !== undefined && all.length > 0 && (
        <p class="quota">
          <meter min={0} max={quota} value={used} aria-label="Space for models" />
          <span>
            {bytes(used)} of {bytes(quota)}
          </span>
        </p>
      )}
    </section>
  );
}

function Row({ model }: { model: StoredModel }): JSX.Element {
  const { reference, bytes: size, loaded } = model;
  const [removing, setRemoving] = useState(false);
  const report = fits.value.get(reference);
  const whole = loaded >= size;
  return (
    <li>
      <div class="row">
        <div class="what">
          <strong>{shortName(reference)}</strong>
          <small>{whole ? bytes(size) : `${bytes(loaded)} of ${bytes(size)}`}</small>
        </div>
        <button
          type="button"
          onClick={() => void (whole ? loadStored(reference) : loadReference(reference))}
        >
          {whole ? "Load" : "Go on"}
        </button>
        {whole && (
          <button type="button" onClick={() => void checkFit(reference)}>
            Fits?
          </button>
        )}
        {removing ? (
          <button
            type="button"
            class="danger"
            ref={(button) => button?.focus()}
            onBlur={() => setRemoving(false)}
            onClick={() => void removeStored(reference)}
          >
            Delete
          </button>
        ) : (
          <IconButton
            icon="remove"
            label={`Delete ${shortName(reference)}`}
            onClick={() => setRemoving(true)}
          />
        )}
      </div>
      {report !== undefined && (
        <p class="hint">{typeof report === "string" ? report : verdict(report)}</p>
      )}
    </li>
  );
}

function verdict({
  fits: does,
  contextLength,
  largestContext,
  needs,
  has,
  tokensPerSecond,
  problem,
}: FitReport): string {
  const memory =
    needs === undefined
      ? ""
      : ` It takes ${bytes(needs)}${has === undefined ? "" : ` of ${bytes(has)}`}.`;
  const speed =
    tokensPerSecond === undefined
      ? ""
      : ` About ${tokensPerSecond.toPrecision(2)} tokens a second.`;
  if (does) return `Fits with a context of ${thousands(contextLength)}.${memory}${speed}`;
  if (largestContext > 0)
    return `Fits with a context of ${thousands(largestContext)} at most.${memory}${speed}`;
  return `Does not fit. ${problem ?? ""}${memory}`;
}
