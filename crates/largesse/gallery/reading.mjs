// One read of one stream with a stock EventSource: reports what happens to it, in the page's words.
//
// States: "connecting", "open", "waiting" (the browser reconnects by itself), "ended". After "ended" nothing
// more is reported.

/**
 * Whether there is such a stream: "there", "gone", or "unknown" where nobody answers. A read alone cannot tell,
 * because it waits for a stream that does not exist yet.
 */
export async function presence(stream) {
  try {
    const answer = await fetch(`/streams/${stream}`, { method: "HEAD" });
    if (answer.status === 404) return "gone";
    return answer.ok ? "there" : "unknown";
  } catch {
    return "unknown";
  }
}

/**
 * Reads `stream`, after the event with the id `after` if there is one.
 *
 * It calls `hears`: `state(state)`, `event(data, id)`, `end(reason)`, and `lost(reason)` if the server says that it
 * does not know the place we resume from.
 */
export function read(stream, after, hears) {
  const query = after ? `?last_event_id=${encodeURIComponent(after)}` : "";
  const source = new EventSource(`/streams/${stream}${query}`);
  let isOver = false;
  const close = (reason) => {
    if (isOver) return;
    isOver = true;
    source.close();
    hears.state("ended");
    hears.end(reason);
  };
  hears.state("connecting");
  source.onopen = () => hears.state("open");
  source.onmessage = (event) => hears.event(event.data, event.lastEventId);
  source.onerror = () => {
    // The browser reconnects, unless the answer was anything but a stream.
    if (source.readyState === EventSource.CLOSED) close("refused");
    else hears.state("waiting");
  };
  source.addEventListener("end", (event) => close(word(event.data, "closed")));
  source.addEventListener("reset", (event) => hears.lost(word(event.data, "unknown_id")));
  // Some browsers tell a closing page that its read failed. It is closing, that is all.
  addEventListener("pagehide", () => source.close(), { once: true });
  return { close };
}

/** The reason in a control event. */
function word(data, otherwise) {
  try {
    const { reason } = JSON.parse(data);
    return typeof reason === "string" && reason ? reason : otherwise;
  } catch {
    return otherwise;
  }
}
