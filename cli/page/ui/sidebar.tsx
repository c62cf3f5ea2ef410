/** The list of conversations; a drawer where the window is narrow. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { engine } from "../engine/client.ts";
import { lives } from "../state/answers.ts";
import {
  conversations,
  openConversation,
  openId,
  remove,
  rename,
  search,
} from "../state/conversations.ts";
import { dialog, drawer, focusOn, found, query } from "../state/view.ts";
import type { Conversation } from "../store/types.ts";
import { ageGroup } from "./format.ts";
import { Icon, IconButton } from "./icons.tsx";

export function begin(): void {
  drawer.value = false;
  void openConversation(null).then(() => focusOn("#prompt"));
}

export function Sidebar(): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const onSearch = (text: string): void => {
    query.value = text;
    clearTimeout(timer.current);
    timer.current = setTimeout(async () => {
      found.value = await search(text);
    }, 150);
  };
  const shown = conversations.value.filter(({ id }) => found.value?.has(id) ?? true);
  const groups = grouped(shown);
  return (
    <nav class="sidebar" aria-label="Conversations" data-open={drawer.value}>
      <div class="row top">
        <span class="brand">webgguf</span>
        <IconButton icon="new" label="New conversation" id="new" onClick={begin} />
        <IconButton
          icon="close"
          label="Close the list"
          class="narrow"
          onClick={() => {
            drawer.value = false;
          }}
        />
      </div>
      <label class="search">
        <Icon name="search" />
        <input
          id="search"
          type="search"
          placeholder="Search"
          aria-label="Search conversations"
          value={query.value}
          onInput={(event) => onSearch(event.currentTarget.value)}
        />
      </label>
      <div class="list">
        {shown.length === 0 && (
          <p class="hint">
            {query.value.trim() === ""
              ? "Conversations stand here, in this browser only."
              : `Nothing holds “${query.value.trim()}”.`}
          </p>
        )}
        {[...groups].map(([name, some]) => (
          <section key={name} aria-label={name}>
            <h2>{name}</h2>
            <ul>
              {some.map((one) => (
                <Entry key={one.id} conversation={one} />
              ))}
            </ul>
          </section>
        ))}
      </div>
      <div class="row bottom">
        <button
          type="button"
          class="quiet worded"
          id="models"
          onClick={() => {
            drawer.value = false;
            dialog.value = "models";
          }}
        >
          <Icon name="model" />
          <span>{engine.state.value.model?.label ?? "Models"}</span>
        </button>
        <IconButton
          icon="settings"
          label="Settings"
          id="settings"
          onClick={() => {
            drawer.value = false;
            dialog.value = "settings";
          }}
        />
      </div>
    </nav>
  );
}

/** By age; the list is sorted so already. */
function grouped(list: readonly Conversation[]): Map<string, Conversation[]> {
  const groups = new Map<string, Conversation[]>();
  for (const one of list) {
    const name = ageGroup(one.updated, Date.now());
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}

function Entry({ conversation }: { conversation: Conversation }): JSX.Element {
  const { id, title } = conversation;
  const [naming, setNaming] = useState(false);
  const [removing, setRemoving] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (naming) input.current?.select();
  }, [naming]);
  const busy = [...lives.value.values()].some(({ message }) => message.conversation === id);
  if (naming)
    return (
      <li>
        <input
          ref={input}
          aria-label="Title"
          defaultValue={title}
          onBlur={(event) => {
            setNaming(false);
            void rename(id, event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.currentTarget.blur();
            else if (event.key === "Escape") setNaming(false);
          }}
        />
      </li>
    );
  return (
    <li class={id === openId.value ? "current" : ""}>
      <button
        type="button"
        class="title"
        aria-current={id === openId.value ? "page" : undefined}
        onClick={() => {
          drawer.value = false;
          void openConversation(id);
        }}
      >
        {busy && <span class="busy" aria-label="answering" role="img" />}
        {title}
      </button>
      {removing ? (
        <button
          type="button"
          class="quiet danger worded"
          ref={(button) => button?.focus()}
          onBlur={() => setRemoving(false)}
          onClick={() => void remove(id)}
        >
          Delete
        </button>
      ) : (
        <span class="tools">
          <IconButton icon="edit" label={`Rename ${title}`} onClick={() => setNaming(true)} />
          <IconButton icon="remove" label={`Delete ${title}`} onClick={() => setRemoving(true)} />
        </span>
      )}
    </li>
  );
}
