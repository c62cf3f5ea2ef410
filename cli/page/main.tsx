/** Starts the page: what is kept first, then the engine. */
import "./trusted.ts";
import { effect } from "@preact/signals";
import { render } from "preact";
import { engine } from "./engine/client.ts";
import { load } from "./state/conversations.ts";
import { loadAgain } from "./state/models.ts";
import { goOffline } from "./state/offline.ts";
import { applyTheme, presets, settings } from "./state/settings.ts";
import { keepPreset, presetsKept, settingsKept } from "./store/database.ts";
import { firstPresets, firstSettings } from "./store/types.ts";
import { App } from "./ui/app.tsx";

/** Put in by the build; the development server has no service worker. */
declare const BUILT: boolean;

settings.value = { ...firstSettings, ...(await settingsKept()) };
const kept = await presetsKept();
presets.value = kept.length > 0 ? kept : firstPresets;
if (kept.length === 0) for (const preset of firstPresets) void keepPreset(preset);
applyTheme();
await load();
render(<App />, document.getElementById("page")!);

// Asked for once; where the browser says no, or nothing at all, models may be removed when the disk is full.
void navigator.storage?.persist?.();
engine.connect();
if (BUILT) setTimeout(() => void goOffline(), 500);
setTimeout(() => void goOffline(), 500);
const stop = effect(() => {
  if (engine.state.value.status === "starting") return;
  queueMicrotask(() => stop());
  void loadAgain();
});
