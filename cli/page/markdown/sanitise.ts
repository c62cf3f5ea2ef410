/** A block of Markdown as nodes in which nothing runs and nothing is fetched. What a model writes may be anybody's. */
import DOMPurify from "dompurify";
import { Parser, Renderer, type Token } from "marked";

/** Elements that text needs; no images, forms, frames, styles, SVG. */
const TAGS = (
  "a abbr b blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i input ins kbd li mark ol p " +
  "pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var"
).split(" ");
const ATTRIBUTES = ["href", "title", "start", "align", "colspan", "rowspan", "open", "lang", "dir"];

const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    const href = node.getAttribute("href") ?? "";
    // Addresses of this page would be the page itself under a text of the model's.
    if (!/^(https?:\/\/|mailto:)/i.test(href)) node.removeAttribute("href");
    else {
      node.setAttribute("target", "_blank");
      node.setAttribute("rel", "noopener noreferrer");
      node.setAttribute("referrerpolicy", "no-referrer");
    }
  } else if (node.tagName === "INPUT") {
    // Boxes of task lists.
    node.setAttribute("type", "checkbox");
    node.setAttribute("disabled", "");
  } else if (node.tagName === "TABLE") node.setAttribute("tabindex", "0");
});

class PageRenderer extends Renderer {
  /** An image would be a request that tells its server of the answer: its name and address stand instead. */
  override image({
    href,
    text,
    title,
  }: {
    href: string;
    text: string;
    title: string | null;
  }): string {
    const label = escaped(text || title || href);
    return `<a href="${escaped(href)}">${label}</a>`;
  }
}

const escaped = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[one]!,
  );

const renderer = new PageRenderer();

export function nodesOf(token: Token): DocumentFragment {
  const html = new Parser({ gfm: true, renderer }).parse([token]);
  return purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: [...ATTRIBUTES, "type", "checked", "disabled"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}
