/** One message: what was said, what can be done with it, and what it took. */
import type { FunctionComponent, JSX } from "preact";
import { memo } from "preact/compat";
import { useRef, useState } from "preact/hooks";
import { engine } from "../engine/client.ts";
import { carryOn, edit, type Live, liveIn, lives, regenerate } from "../state/answers.ts";
import { branches, turnTo } from "../state/conversations.ts";
import { editing } from "../state/view.ts";
import type { Message } from "../store/types.ts";
import { duration, speed, thousands } from "./format.ts";
import { Icon, IconButton } from "./icons.tsx";
import { CopyButton, Markdown } from "./markdown.tsx";

/** Drawn again where the message is another one, or a signal that it reads changes. */
export const MessageView: FunctionComponent<{ message: Message }> = memo(
  ({ message }: { message: Message }): JSX.Element =>
    message.role === "user" ? <Question message={message} /> : <Answer message={message} />,
);

const mayAsk = (message: Message): boolean =>
  engine.state.value.status === "ready" && !liveIn(message.conversation);

function Question({ message }: { message: Message }): JSX.Element {
  const { content, attachments = [], id } = message;
  if (editing.value === id) return <Editor message={message} />;
  return (
    <article class="message question" aria-label="You" data-id={id}>
      <div class="said">
        {content}
        {attachments.map(({ name, text }) => (
          <details class="attachment" key={name}>
            <summary>
              <Icon name="file" />
              {name} <small>{thousands(text.length)} characters</small>
            </summary>
            <pre tabIndex={0}>{text}</pre>
          </details>
        ))}
      </div>
      <footer>
        <Branches message={message} />
        <CopyButton text={content} label="Copy message" />
        <IconButton
          icon="edit"
          label="Edit message"
          disabled={!mayAsk(message)}
          onClick={() => {
            editing.value = id;
          }}
        />
      </footer>
    </article>
  );
}

function Editor({ message }: { message: Message }): JSX.Element {
  const [text, setText] = useState(message.content);
  const done = (): void => {
    editing.value = undefined;
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.trim() === "") return;
    done();
    void edit(message, text.trim());
  };
  return (
    <form class="message question editor" onSubmit={submit}>
      <textarea
        aria-label="Edit message"
        value={text}
        rows={Math.min(12, text.split("\n").length + 1)}
        ref={(area) => area?.focus()}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") done();
          else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
        }}
      />
      <div class="row end">
        <button type="button" onClick={done}>
          Cancel
        </button>
        <button type="submit" class="primary">
          Ask again
        </button>
      </div>
    </form>
  );
}

function Branches({ message }: { message: Message }): JSX.Element | null {
  const all = branches.value.get(message.parent) ?? [message];
  if (all.length < 2) return null;
  const at = all.findIndex(({ id }) => id === message.id);
  return (
    <span class="branches" role="group" aria-label="Branches">
      <IconButton
        icon="left"
        label="Branch before"
        disabled={at === 0}
        onClick={() => void turnTo(message, -1)}
      />
      <span>
        {at + 1} / {all.length}
      </span>
      <IconButton
        icon="right"
        label="Branch behind"
        disabled={at === all.length - 1}
        onClick={() => void turnTo(message, 1)}
      />
    </span>
  );
}

function Answer({ message }: { message: Message }): JSX.Element {
  const live = lives.value.get(message.id);
  return (
    <article
      class="message answer"
      aria-label="Answer"
      aria-busy={live !== undefined}
      data-id={message.id}
    >
      {live ? <Growing live={live} /> : <Whole message={message} />}
    </article>
  );
}

function Growing({ live }: { live: Live }): JSX.Element {
  // Read, so that each batch of text is drawn.
  const drawn = live.version.value;
  const { content, reasoning, tools } = live;
  return (
    <>
      <Reasoning text={reasoning} open={content === "" && tools === ""} />
      <GrowingText live={live} version={drawn} />
      <Tools text={tools} />
      {live.notice.value !== "" && <p class="notice">{live.notice.value}</p>}
      {content === "" && reasoning === "" && live.notice.value === "" && (
        <p class="waiting" aria-hidden="true">
          <i />
          <i />
          <i />
        </p>
      )}
    </>
  );
}

function GrowingText({ live }: { live: Live; version: number }): JSX.Element {
  return <Markdown text="" blocks={live.blocks} />;
}

function Reasoning({ text, open }: { text: string; open: boolean }): JSX.Element | null {
  const [chosen, choose] = useState<boolean | undefined>(undefined);
  const details = useRef<HTMLDetailsElement>(null);
  if (text.trim() === "") return null;
  return (
    <details class="reasoning" open={chosen ?? open} ref={details}>
      <summary
        onClick={(event) => {
          event.preventDefault();
          choose(!details.current?.open);
        }}
      >
        <Icon name="down" />
        {open ? "Thinking …" : "Thoughts"}
      </summary>
      <div>{text.trim()}</div>
    </details>
  );
}

function Tools({ text }: { text: string }): JSX.Element | null {
  if (text.trim() === "") return null;
  return (
    <details class="tools" open>
      <summary>
        <Icon name="down" />
        Tool call
      </summary>
      <pre tabIndex={0}>{text.trim()}</pre>
    </details>
  );
}

const cut: Readonly<Record<string, string>> = {
  stopped: "Stopped.",
  length: "The longest answer that the preset allows.",
  context: "The context is full: the answer ends here.",
};

function Whole({ message }: { message: Message }): JSX.Element {
  const { content, reasoning = "", tools = "", ended, error } = message;
  const why = ended === undefined ? undefined : cut[ended];
  const canGoOn =
    ended === "stopped" || ended === "length" || (ended === "error" && content !== "");
  return (
    <>
      <Reasoning text={reasoning} open={false} />
      <Markdown text={content} />
      <Tools text={tools} />
      {error !== undefined && (
        <p class="failure" role="alert">
          <Icon name="warn" />
          <span>{error}</span>
        </p>
      )}
      <footer>
        <Branches message={message} />
        <CopyButton text={content} label="Copy answer" />
        <IconButton
          icon="again"
          label="Another answer"
          disabled={!mayAsk(message)}
          onClick={() => void regenerate(message)}
        />
        {canGoOn && (
          <button
            type="button"
            class="quiet worded"
            disabled={!mayAsk(message)}
            onClick={() => void carryOn(message)}
          >
            <Icon name="on" />
            Continue
          </button>
        )}
        <Figures message={message} why={why} />
      </footer>
    </>
  );
}

function Figures({ message, why }: { message: Message; why: string | undefined }): JSX.Element {
  const { stats, model } = message;
  const parts: string[] = why === undefined ? [] : [why];
  if (stats) {
    const { promptMs, completionMs, completionTokens, cachedTokens } = stats;
    const rate = speed(completionTokens, completionMs);
    if (rate !== undefined) parts.push(rate);
    parts.push(`${thousands(completionTokens)} tokens`, `first after ${duration(promptMs)}`);
    if (cachedTokens > 0) parts.push(`${thousands(cachedTokens)} cached`);
  }
  return (
    <span class="figures" title={model ?? ""}>
      {parts.join(" · ")}
    </span>
  );
}
