/** The open conversation. Long ones begin with their end; what is before it is drawn when it is scrolled to. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { announcement, liveIn } from "../state/answers.ts";
import { branch, opened, openId } from "../state/conversations.ts";
import { MessageView } from "./message.tsx";
import { Empty } from "./welcome.tsx";

/** Messages that are drawn at once: a few, so that drawing them is no long task; they follow each other until the window is full. */
const STEP = 4;
/** Pixels above the end that still count as the end: there the view follows the answer. */
const NEAR = 80;

export function Thread(): JSX.Element {
  const id = openId.value;
  const path = branch.value;
  const [shown, setShown] = useState({ id, count: STEP });
  const count = shown.id === id ? shown.count : STEP;
  const scroller = useRef<HTMLDivElement>(null);
  const earlier = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const first = Math.max(0, path.length - count);
  const live = liveIn(id);
  const start = opened.value?.start;

  useLayoutEffect(() => {
    following.current = true;
    toEnd(scroller.current);
  }, [id]);
  useEffect(() => {
    const box = scroller.current;
    const content = box?.firstElementChild;
    if (!box || !content) return;
    const grown = new ResizeObserver(() => {
      if (following.current) toEnd(box);
    });
    grown.observe(content);
    return () => grown.disconnect();
  }, []);
  useEffect(() => {
    // A question that was just asked is shown, wherever the reader was.
    if (!live) return;
    following.current = true;
    toEnd(scroller.current);
  }, [live]);
  useEffect(() => {
    const mark = earlier.current;
    if (!mark || first === 0) return;
    const seen = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        const box = scroller.current;
        const below = box ? box.scrollHeight - box.scrollTop : 0;
        setShown({ id, count: count + STEP });
        // What is read stays where it is.
        setTimeout(() => {
          if (box) box.scrollTop = box.scrollHeight - below;
        });
      },
      { root: scroller.current, rootMargin: "400px 0px 0px" },
    );
    seen.observe(mark);
    return () => seen.disconnect();
  }, [id, first, count]);

  const onScroll = (): void => {
    const box = scroller.current;
    if (box) following.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  };
  return (
    <div class="scroller" ref={scroller} onScroll={onScroll} tabIndex={-1} id="thread">
      <div class="thread">
        {path.length === 0 && <Empty />}
        {first > 0 && <div ref={earlier} class="earlier" />}
        {path.slice(first).flatMap((message) => [
          message.id === start && (
            <p class="left-out" key={`${message.id} start`}>
              <span>What is above has left the model's context</span>
            </p>
          ),
          <MessageView key={message.id} message={message} />,
        ])}
      </div>
      <p class="hidden" role="status">
        {announcement.value}
      </p>
    </div>
  );
}

function toEnd(box: HTMLElement | null): void {
  if (box) box.scrollTop = box.scrollHeight;
}
