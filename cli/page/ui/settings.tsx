/** Settings: looks, presets, how models are loaded, conversations in and out. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { exportText, importText, opened, put } from "../state/conversations.ts";
import {
  change,
  changePreset,
  presetOf,
  presets,
  removePreset,
  settings,
} from "../state/settings.ts";
import type { Settings as Kept, Preset } from "../store/types.ts";
import { Modal } from "./modal.tsx";

export function Settings(): JSX.Element {
  const { theme, contextLength, device, hub } = settings.value;
  return (
    <Modal title="Settings">
      <Presets />
      <fieldset>
        <legend>Loading</legend>
        <div class="fields">
          <label>
            Context, tokens
            <input
              type="number"
              min={0}
              step={256}
              value={contextLength}
              onChange={(event) => change({ contextLength: whole(event.currentTarget.value, 0) })}
            />
            <small>0 = the model's own, at most 4,096</small>
          </label>
          <label>
            Computed by
            <select
              value={device}
              onChange={(event) => change({ device: event.currentTarget.value as Kept["device"] })}
            >
              <option value="auto">the faster</option>
              <option value="gpu">graphics card</option>
              <option value="cpu">processor</option>
            </select>
          </label>
        </div>
        <label>
          Models of <code>hf:</code> come from
          <input
            type="url"
            value={hub}
            placeholder="https://huggingface.co"
            onChange={(event) => change({ hub: event.currentTarget.value.trim() })}
          />
        </label>
        <p class="hint">They hold from the next model that is loaded.</p>
      </fieldset>
      <fieldset class="theme">
        <legend>Looks</legend>
        {(["auto", "light", "dark"] as const).map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="theme"
              checked={theme === one}
              onChange={() => change({ theme: one })}
            />
            {{ auto: "As the system", light: "Light", dark: "Dark" }[one]}
          </label>
        ))}
      </fieldset>
      <Transfer />
      <p class="hint keys">
        <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a line, <kbd>Esc</kbd>{" "}
        stops, <kbd>Ctrl</kbd> <kbd>K</kbd> searches, <kbd>Ctrl</kbd> <kbd>Shift</kbd> <kbd>O</kbd>{" "}
        begins a conversation, <kbd>↑</kbd> edits the last question.
      </p>
    </Modal>
  );
}

const whole = (text: string, otherwise: number): number => {
  const value = Number.parseInt(text, 10);
  return Number.isFinite(value) ? value : otherwise;
};

interface Field {
  readonly key: "temperature" | "topK" | "topP" | "minP" | "repeatPenalty" | "maxTokens" | "seed";
  readonly label: string;
  readonly hint: string;
  readonly min: number;
  readonly max?: number;
  readonly step: number;
}

const fields: readonly Field[] = [
  {
    key: "temperature",
    label: "Temperature",
    hint: "0 = the likeliest word",
    min: 0,
    max: 5,
    step: 0.1,
  },
  { key: "topK", label: "Top-k", hint: "0 = off", min: 0, step: 1 },
  { key: "topP", label: "Top-p", hint: "1 = off", min: 0, max: 1, step: 0.01 },
  { key: "minP", label: "Min-p", hint: "0 = off", min: 0, max: 1, step: 0.01 },
  { key: "repeatPenalty", label: "Repeat penalty", hint: "1 = off", min: 0.1, max: 5, step: 0.05 },
  { key: "maxTokens", label: "Longest answer", hint: "tokens; -1 = to its end", min: -1, step: 1 },
  { key: "seed", label: "Seed", hint: "-1 = another each time", min: -1, step: 1 },
];

function Presets(): JSX.Element {
  const conversation = opened.value;
  const preset = presetOf(conversation?.preset ?? settings.value.preset);
  const choose = (id: string): void => {
    change({ preset: id });
    if (conversation) void put({ ...conversation, preset: id });
  };
  const set = (some: Partial<Preset>): void => changePreset({ ...preset, ...some });
  const add = (): void => {
    const id = crypto.randomUUID();
    changePreset({ ...preset, id, name: `${preset.name} copy` });
    choose(id);
  };
  return (
    <fieldset class="presets">
      <legend>Preset</legend>
      <div class="row">
        <select
          aria-label="Preset"
          value={preset.id}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {presets.value.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        <button type="button" onClick={add}>
          Duplicate
        </button>
        <button
          type="button"
          disabled={presets.value.length < 2}
          onClick={() => {
            removePreset(preset.id);
            choose(presets.value[0].id);
          }}
        >
          Delete
        </button>
      </div>
      <label>
        Name
        <input
          value={preset.name}
          onChange={(event) => set({ name: event.currentTarget.value || preset.name })}
        />
      </label>
      <label>
        System prompt
        <textarea
          rows={3}
          value={preset.system}
          placeholder="How the model is to answer"
          onChange={(event) => set({ system: event.currentTarget.value })}
        />
      </label>
      <div class="fields">
        {fields.map(({ key, label, hint, min, max, step }) => (
          <label key={key}>
            {label}
            <input
              type="number"
              {...{ min, max, step }}
              value={preset[key]}
              onChange={(event) => {
                const value = Number(event.currentTarget.value);
                const valid =
                  event.currentTarget.value !== "" && event.currentTarget.validity.valid;
                if (valid) set({ [key]: value });
                else event.currentTarget.value = String(preset[key]);
              }}
            />
            <small>{hint}</small>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Transfer(): JSX.Element {
  const [said, say] = useState("");
  const picker = useRef<HTMLInputElement>(null);
  const save = async (only?: string): Promise<void> => {
    const blob = new Blob([await exportText(only)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "webgguf-conversations.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    try {
      const count = await importText(await file.text());
      say(count === 1 ? "One conversation was imported." : `${count} conversations were imported.`);
    } catch (error) {
      say((error as Error).message);
    }
  };
  const current = opened.value;
  return (
    <fieldset>
      <legend>Conversations</legend>
      <div class="row">
        <button type="button" onClick={() => void save()}>
          Export all
        </button>
        <button type="button" disabled={!current} onClick={() => void save(current?.id)}>
          Export this one
        </button>
        <button type="button" onClick={() => picker.current?.click()}>
          Import …
        </button>
        <input
          type="file"
          id="import"
          class="hidden"
          accept=".json,application/json"
          ref={picker}
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            void take(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </div>
      <p class="hint" role="status">
        {said}
      </p>
    </fieldset>
  );
}
