// The gallery's page: starts each card. Everything that comes from a stream is shown as text, never
// as HTML.

import { mountCounted } from "./counted.mjs";

/** Buttons that copy a command, where the browser lets a page write to the clipboard. */
function mountCopying(card) {
  if (!navigator.clipboard) return;
  for (const button of card.querySelectorAll("[data-copies]")) {
    const command = card.querySelector(`[data-part="${button.dataset.copies}"]`);
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  }
}

for (const card of document.querySelectorAll(".card")) mountCopying(card);
mountCounted(document.querySelector("#counted"));

// A page restored from the browser's cache has lost its connection, and one whose address was changed
// shows another run.
addEventListener("pageshow", (shown) => shown.persisted && location.reload());
addEventListener("hashchange", () => location.reload());
