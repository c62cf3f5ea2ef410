/** Icons: lines of one weight on a grid of 20. */
import type { JSX } from "preact";

const paths = {
  new: "M10 4.5v11M4.5 10h11",
  search: "M8.75 14a5.25 5.25 0 1 0 0-10.5 5.25 5.25 0 0 0 0 10.5ZM12.6 12.6l4 4",
  send: "M10 16V4.5M5 9.3l5-5 5 5",
  stop: "M6 6h8v8H6z",
  attach:
    "M15.5 9.3l-5.6 5.6a3.4 3.4 0 0 1-4.8-4.8l6-6a2.3 2.3 0 0 1 3.2 3.2l-5.9 5.9a1.1 1.1 0 0 1-1.6-1.6l5.2-5.2",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  done: "M4.5 10.5l3.5 3.5 7.5-8",
  edit: "M4.5 15.5l.8-3.2 7.9-7.9a1.2 1.2 0 0 1 1.7 0l.7.7a1.2 1.2 0 0 1 0 1.7l-7.9 7.9zM11.7 5.8l2.5 2.5",
  again: "M15.5 10a5.5 5.5 0 1 1-1.6-3.9L15.5 7.7M15.5 4.2v3.5H12",
  on: "M5 5l5 5-5 5M11 5l5 5-5 5",
  left: "M12 5l-5 5 5 5",
  right: "M8 5l5 5-5 5",
  down: "M5 8l5 5 5-5",
  menu: "M3.5 6h13M3.5 10h13M3.5 14h13",
  close: "M5 5l10 10M15 5L5 15",
  remove: "M4.5 6h11M8 6V4h4v2M6 6l.6 10h6.8L14 6M8.6 9v4.5M11.4 9v4.5",
  settings: "M3.5 6h6M13.5 6h3M3.5 14h3M10.5 14h6M11.5 4v4M8.5 12v4",
  model: "M10 3.5l6 3.2v6.6l-6 3.2-6-3.2V6.7zM4 6.7l6 3.3 6-3.3M10 10v6.5",
  file: "M5.5 3.5h6l3 3v10h-9zM11.5 3.5v3h3",
  out: "M10 3.5v8.5M6.5 7L10 3.5 13.5 7M4 13v3.5h12V13",
  warn: "M10 3.8l7 12.4H3zM10 8.5v3.5M10 13.9v.3",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** A button that is an icon; its label is its tooltip. */
export function IconButton({
  icon,
  label,
  onClick,
  ...rest
}: {
  icon: IconName;
  label: string;
  onClick: (event: MouseEvent) => void;
  class?: string;
  id?: string;
  disabled?: boolean;
  "aria-expanded"?: boolean;
}): JSX.Element {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      {...rest}
      class={`quiet ${rest.class ?? ""}`}
    >
      <Icon name={icon} />
    </button>
  );
}
