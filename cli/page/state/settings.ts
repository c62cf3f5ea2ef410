/** Settings and presets, kept in the browser. */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { forgetPreset, keepPreset, keepSettings } from "../store/database.ts";
import { balanced, firstSettings, type Preset, type Settings } from "../store/types.ts";

export const settings: Signal<Settings> = signal(firstSettings);
export const presets: Signal<readonly Preset[]> = signal([balanced]);

export function change(some: Partial<Settings>): void {
  settings.value = { ...settings.value, ...some };
  void keepSettings(settings.value);
  if (some.theme !== undefined) applyTheme();
}

/** Sets what the design tokens go by. */
export function applyTheme(): void {
  document.documentElement.dataset["theme"] = settings.value.theme;
}

export const presetOf = (id: string): Preset =>
  presets.value.find((preset) => preset.id === id) ?? presets.value[0] ?? balanced;

export const usual: ReadonlySignal<Preset> = computed(() => presetOf(settings.value.preset));

export function changePreset(preset: Preset): void {
  const known = presets.value.some(({ id }) => id === preset.id);
  presets.value = known
    ? presets.value.map((one) => (one.id === preset.id ? preset : one))
    : [...presets.value, preset];
  void keepPreset(preset);
}

export function removePreset(id: string): void {
  if (presets.value.length < 2) return;
  presets.value = presets.value.filter((one) => one.id !== id);
  if (settings.value.preset === id) change({ preset: presets.value[0].id });
  void forgetPreset(id);
}
