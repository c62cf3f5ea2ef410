/** The service worker of the page: what is new is offered, requests for the engine pass through this tab. */
import { type Signal, signal } from "@preact/signals";
import { engine } from "../engine/client.ts";
import type { Forwarded } from "../engine/relay.ts";

/** A later version of the page, which waits. */
export const update: Signal<(() => void) | undefined> = signal(undefined);

export async function goOffline(): Promise<void> {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  workers.addEventListener("message", ({ data, ports }: MessageEvent<Forwarded>) => {
    if ("forward" in data && ports[0]) engine.forward(data.forward, ports[0]);
  });
  workers.startMessages();
  const controlled = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    // The first worker takes over a page of its own version.
    if (controlled) location.reload();
  });
  const registration = await workers.register("./sw.js");
  const offer = (): void => {
    const { waiting } = registration;
    if (waiting && workers.controller) update.value = () => waiting.postMessage("update");
  };
  offer();
  registration.addEventListener("updatefound", () =>
    registration.installing?.addEventListener("statechange", offer),
  );
}
