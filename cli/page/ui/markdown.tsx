/** Blocks of Markdown. A block that stays the same is not touched again. */

import type { Token, Tokens } from "marked";
import type { JSX } from "preact";
import { memo } from "preact/compat";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Block, Blocks } from "../markdown/blocks.ts";
import { nodesOf } from "../markdown/sanitise.ts";
import { Icon } from "./icons.tsx";

/** A whole text, or the blocks of one that grows. */
export function Markdown({ text, blocks }: { text: string; blocks?: Blocks }): JSX.Element {
  const own = useMemo(() => blocks ?? new Blocks(text), [text, blocks]);
  return (
    <div class="prose">
      {own.all().map((block) => (
        <BlockView key={block.key} block={block} />
      ))}
    </div>
  );
}

const BlockView = memo(
  ({ block: { token } }: { block: Block }): JSX.Element =>
    token.type === "code" ? <Code token={token as Tokens.Code} /> : <Nodes token={token} />,
  ({ block: { token: before } }, { block: { token: after } }) =>
    before.type === after.type && before.raw === after.raw,
);

function Nodes({ token }: { token: Token }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => place.current?.replaceChildren(nodesOf(token)), [token]);
  return <div class="block" ref={place} />;
}

/** Lines of code that are laid out together: a long block that grows is not laid out anew. */
const LINES = 100;

function Code({ token: { text, lang } }: { token: Tokens.Code }): JSX.Element {
  const lines = text.split("\n");
  const chunks: string[] = [];
  for (let at = 0; at < lines.length; at += LINES)
    chunks.push(lines.slice(at, at + LINES).join("\n"));
  const name = (lang ?? "").split(/\s/, 1)[0];
  return (
    <figure class="code">
      <figcaption>
        <span>{name || "text"}</span>
        <CopyButton text={text} label="Copy code" />
      </figcaption>
      {/* Wide code is scrolled by keys as well. */}
      <pre tabIndex={0} role="region" aria-label={`Code, ${name || "text"}`}>
        <code>
          {chunks.map((chunk, i) => (
            <span class="lines" key={i}>
              {chunk}
            </span>
          ))}
        </code>
      </pre>
    </figure>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }): JSX.Element {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
  };
  return (
    <button
      type="button"
      class="quiet"
      aria-label={label}
      title={label}
      onClick={() => void copy()}
    >
      <Icon name={done ? "done" : "copy"} />
      <span class="hidden" role="status">
        {done ? "Copied" : ""}
      </span>
    </button>
  );
}
