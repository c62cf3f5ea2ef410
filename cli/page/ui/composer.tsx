/** Where questions are written. What is not sent stays as a draft. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { engine } from "../engine/client.ts";
import { liveIn, send } from "../state/answers.ts";
import { branch, opened, openId, put } from "../state/conversations.ts";
import { change, settings } from "../state/settings.ts";
import { editing } from "../state/view.ts";
import type { Attachment } from "../store/types.ts";
import { bytes, thousands } from "./format.ts";
import { Icon, IconButton } from "./icons.tsx";

/** Bytes of a text file at most: far more than a context holds. */
const MOST = 2e6;

const draftOf = (): string =>
  openId.value === null ? settings.value.draft : (opened.value?.draft ?? "");

async function keepDraft(id: string | null, draft: string): Promise<void> {
  if (id === null) change({ draft });
  else if (opened.value?.id === id && opened.value.draft !== draft)
    await put({ ...opened.value, draft });
}

/** A file as text; an error in words where it is none. */
async function read(file: File): Promise<Attachment> {
  if (file.size > MOST)
    throw new Error(`${file.name} is too large: at most ${bytes(MOST)} of text.`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (!text.includes("\0")) return { name: file.name, text };
  } catch {
    // It is not text.
  }
  throw new Error(`${file.name} is no text. Attach text files, such as .txt, .md, .csv or code.`);
}

export function Composer(): JSX.Element {
  const id = openId.value;
  const [text, setText] = useState(draftOf);
  const [files, setFiles] = useState<readonly Attachment[]>([]);
  const [failure, setFailure] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const live = liveIn(id);
  const { status } = engine.state.value;
  const ready = status === "ready";

  useEffect(() => {
    setText(draftOf());
    setFiles([]);
    setFailure("");
  }, [id]);
  useEffect(() => {
    if (text === draftOf()) return;
    const timer = setTimeout(() => void keepDraft(id, text), 300);
    return () => clearTimeout(timer);
  }, [id, text]);
  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }, [text]);
  useEffect(() => {
    if (ready) area.current?.focus();
  }, [id, ready]);

  const attach = async (list: Iterable<File>): Promise<void> => {
    setFailure("");
    try {
      const more = await Promise.all([...list].map(read));
      setFiles((before) => [...before, ...more]);
    } catch (error) {
      setFailure((error as Error).message);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const question = text.trim();
    if (live || !ready || (question === "" && files.length === 0)) return;
    setText("");
    setFiles([]);
    if (id === null) change({ draft: "" });
    void send(question, files);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
    else if (event.key === "ArrowUp" && text === "" && !live)
      editing.value = branch.value.findLast(({ role }) => role === "user")?.id;
  };
  return (
    <form class="composer" onSubmit={submit} aria-label="Message">
      {failure !== "" && (
        <p class="failure" role="alert">
          <Icon name="warn" />
          <span>{failure}</span>
        </p>
      )}
      <div class="sheet">
        {files.length > 0 && (
          <ul class="files" aria-label="Attached files">
            {files.map(({ name, text: { length } }, i) => (
              <li key={`${name} ${i}`}>
                <Icon name="file" />
                {name} <small>{thousands(length)} characters</small>
                <IconButton
                  icon="close"
                  label={`Remove ${name}`}
                  onClick={() => setFiles(files.filter((_, at) => at !== i))}
                />
              </li>
            ))}
          </ul>
        )}
        <textarea
          id="prompt"
          ref={area}
          rows={1}
          value={text}
          aria-label="Message"
          placeholder={ready ? "Ask anything" : "Choose a model to begin"}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const pasted = [...(event.clipboardData?.files ?? [])];
            if (pasted.length > 0) void attach(pasted);
          }}
        />
        <div class="row">
          <input
            type="file"
            multiple
            class="hidden"
            ref={picker}
            tabIndex={-1}
            aria-hidden="true"
            onChange={(event) => {
              void attach(event.currentTarget.files ?? []);
              event.currentTarget.value = "";
            }}
          />
          <IconButton
            icon="attach"
            label="Attach text files"
            onClick={() => picker.current?.click()}
          />
          <Gauge />
          {live ? (
            <button
              type="button"
              id="stop"
              class="primary round"
              aria-label="Stop"
              title="Stop (Esc)"
              onClick={() => live.stop.abort()}
            >
              <Icon name="stop" />
            </button>
          ) : (
            <button
              type="submit"
              id="send"
              class="primary round"
              aria-label="Send"
              title="Send (Enter)"
              disabled={!ready || (text.trim() === "" && files.length === 0)}
            >
              <Icon name="send" />
            </button>
          )}
        </div>
      </div>
    </form>
  );
}

/** How full the model's context is. */
function Gauge(): JSX.Element | null {
  const model = engine.state.value.model;
  const stats = branch.value.findLast((message) => message.stats)?.stats;
  if (!model) return <span class="gauge" />;
  const used = stats?.contextUsed ?? 0;
  const label = `${thousands(used)} of ${thousands(model.contextLength)} tokens of context`;
  return (
    <span class="gauge" title={label}>
      <meter min={0} max={model.contextLength} value={used} aria-label={label} />
      <span aria-hidden="true">
        {thousands(used)} / {thousands(model.contextLength)}
      </span>
    </span>
  );
}
