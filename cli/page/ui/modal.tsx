/** A dialog over the page; Escape and a click beside it close it. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { dialog } from "../state/view.ts";
import { IconButton } from "./icons.tsx";

const close = (): void => {
  dialog.value = undefined;
};

export function Modal({
  title,
  children,
}: {
  title: string;
  children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.showModal();
    return () => before?.focus();
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby="dialog-title"
      onClose={close}
      onClick={(event) => {
        if (event.target === box.current) close();
      }}
    >
      <div class="sheet">
        <header class="row">
          <h2 id="dialog-title">{title}</h2>
          <IconButton icon="close" label="Close" onClick={close} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
