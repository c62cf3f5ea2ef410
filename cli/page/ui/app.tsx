/** The page as a whole. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { engine } from "../engine/client.ts";
import { liveIn } from "../state/answers.ts";
import { opened, openId } from "../state/conversations.ts";
import { loadFiles } from "../state/models.ts";
import { update } from "../state/offline.ts";
import { dialog, drawer, dropping, focusOn } from "../state/view.ts";
import { Composer } from "./composer.tsx";
import { Icon, IconButton } from "./icons.tsx";
import { ModelState } from "./model-choice.tsx";
import { Models } from "./models.tsx";
import { Settings } from "./settings.tsx";
import { begin, Sidebar } from "./sidebar.tsx";
import { Thread } from "./thread.tsx";

export function App(): JSX.Element {
  useEffect(() => {
    const listeners = { keydown: onKey, dragover: onDrag, dragleave: onDragEnd, drop: onDrop };
    const all = Object.entries(listeners) as [string, (event: Event) => void][];
    for (const [name, listener] of all) document.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of all) document.removeEventListener(name, listener);
    };
  }, []);
  return (
    <div class="page">
      <a class="skip" href="#prompt">
        To the message
      </a>
      <Sidebar />
      <div
        class="shade"
        data-open={drawer.value}
        onClick={() => {
          drawer.value = false;
        }}
      />
      <main>
        <Header />
        <Thread />
        <Composer />
      </main>
      {dialog.value === "models" && <Models />}
      {dialog.value === "settings" && <Settings />}
      {update.value && (
        <p class="update" role="status">
          A new version of the page is here.
          <button type="button" onClick={update.value}>
            Use it now
          </button>
        </p>
      )}
      {dropping.value && <p class="drop">Drop a GGUF file to load it</p>}
    </div>
  );
}

function Header(): JSX.Element {
  const { model, status } = engine.state.value;
  const conversation = opened.value;
  useEffect(() => {
    document.title = conversation ? `${conversation.title} – webgguf` : "webgguf";
  }, [conversation]);
  return (
    <header class="bar">
      <IconButton
        icon="menu"
        label="Show conversations"
        class="narrow"
        aria-expanded={drawer.value}
        onClick={() => {
          drawer.value = true;
          focusOn("#new");
        }}
      />
      <h1>{conversation?.title ?? "New conversation"}</h1>
      {(model || status === "loading") && (
        <button
          type="button"
          class="quiet worded chip"
          id="device"
          onClick={() => {
            dialog.value = "models";
          }}
        >
          <span class={`dot ${status}`} />
          {model ? (
            <>
              <span class="label">{model.label}</span>{" "}
              <small>{model.kind === "gpu" ? model.device : "processor"}</small>
            </>
          ) : (
            "Loading …"
          )}
          <Icon name="down" />
        </button>
      )}
      {/* Where a conversation is open, its page has no other place for what goes wrong with the model. */}
      {conversation && status !== "ready" && status !== "empty" && status !== "starting" && (
        <div class="bar-state">
          <ModelState />
        </div>
      )}
    </header>
  );
}

function onKey(event: Event): void {
  const { key, ctrlKey, metaKey, shiftKey } = event as KeyboardEvent;
  const command = ctrlKey || metaKey;
  if (key === "Escape" && dialog.value === undefined) {
    if (drawer.value) drawer.value = false;
    else liveIn(openId.value)?.stop.abort();
  } else if (command && key.toLowerCase() === "k") {
    event.preventDefault();
    drawer.value = true;
    setTimeout(() => focusOn("#search"));
  } else if (command && shiftKey && key.toLowerCase() === "o") {
    event.preventDefault();
    begin();
  }
}

const holdsFiles = (event: Event): boolean =>
  Boolean((event as DragEvent).dataTransfer?.types.includes("Files"));

function onDrag(event: Event): void {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  dropping.value = true;
}

function onDragEnd(event: Event): void {
  if ((event as DragEvent).relatedTarget === null) dropping.value = false;
}

function onDrop(event: Event): void {
  dropping.value = false;
  if (!holdsFiles(event)) return;
  event.preventDefault();
  void loadFiles([...((event as DragEvent).dataTransfer?.files ?? [])]);
}
