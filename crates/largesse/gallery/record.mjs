// What a page heard of one run, step by step. It survives a reload, in the tab's own store, so that the page
// reads on after the last event it heard.
//
// The store may be switched off. A reload then reads the stream from its start, which is right too.

const KEY = "largesse.counted";

/** Milliseconds on a clock that never goes back and goes on over reloads. */
export const now = () => performance.timeOrigin + performance.now();

/** A new record of the run that writes `stream`, begun at the time `begun`. */
export function newRecord(stream, begun) {
  return { stream, begun, after: "", events: [], steps: [], end: "" };
}

/** The record of `stream` that an earlier page in this tab kept, or null. */
export function kept(stream) {
  try {
    const record = JSON.parse(sessionStorage.getItem(KEY));
    return isRecord(record) && record.stream === stream ? record : null;
  } catch {
    return null;
  }
}

export function keep(record) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(record));
  } catch {
    // The page works without it.
  }
}

function isRecord(record) {
  return (
    record !== null &&
    typeof record === "object" &&
    Number.isFinite(record.begun) &&
    typeof record.after === "string" &&
    typeof record.end === "string" &&
    Array.isArray(record.events) &&
    record.events.every((data) => typeof data === "string") &&
    Array.isArray(record.steps) &&
    record.steps.every((step) => Number.isFinite(step.at) && typeof step.action === "string")
  );
}
