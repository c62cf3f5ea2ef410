/** A helper as a worker of a page or of Deno: it is given its data once. */
import { help } from "./work.mjs";

addEventListener(
  "message",
  ({ data }) => {
    help(data);
    close();
  },
  { once: true },
);
