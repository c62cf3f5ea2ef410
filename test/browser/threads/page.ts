/** Says what the worker finds in `document.title`. */
const worker = new Worker(new URL("./engine.ts", import.meta.url), { type: "module" });
worker.addEventListener("message", ({ data }) => {
  document.title = data;
});
worker.addEventListener("error", ({ message }) => {
  document.title = `error: ${message}`;
});
