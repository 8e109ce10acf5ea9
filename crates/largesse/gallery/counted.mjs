// The card of the counted stream: a button starts a run, and the page shows what it hears from it.
//
// The run's stream is in the address (#s4=…), so a reload or a link joins the same run. Only the button
// starts one.

import { keep, kept, newRecord, now } from "./record.mjs";
import { presence, read } from "./reading.mjs";

const SOURCE = "/demo/s4";
const FOLDER = "demo/s4/";
const ADDRESS = /^#s4=([0-9a-f]{32})$/;
const TICK_MS = 100;
// The source writes three short events. Whoever knows the stream's name may write more into it.
const EVENTS_MAX = 100;
const EVENT_CHARS_MAX = 500;
const CELL_CHARS_MAX = 60;

const STATES = {
  connecting: "connecting",
  open: "open",
  waiting: "waiting",
  ended: "ended",
};
const SPOKEN = {
  connecting: "Connecting.",
  open: "The connection is open.",
  waiting: "The connection is lost. Waiting to reconnect.",
  ended: "The connection has ended.",
};
const ENDS = {
  closed: "The stream is closed. Nothing more will come.",
  deleted: "The stream was deleted.",
  refused: "The server refused the read.",
  gone: "This run's events are no longer kept. Start another one.",
  crowded: "This stream has more events than this page shows.",
};
const LAST_STEPS = {
  closed: "The stream ends",
  deleted: "The stream is deleted",
  refused: "The read is refused",
  gone: "The events are gone",
  crowded: "The page stops reading",
};
/** Ends after which there is nothing to read any more. */
const NOTHING_LEFT = ["gone", "deleted"];

export function mountCounted(card) {
  const part = (name) => card.querySelector(`[data-part="${name}"]`);
  let record = null;
  let state = "";
  let isBusy = false;
  let ticking = 0;
  let first = "The source starts";

  function showState(next) {
    state = next;
    for (const item of part("states").children) {
      if (item.dataset.state === next) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
    part("spoken").textContent = SPOKEN[next] ?? "";
    part("away").hidden = next !== "waiting";
    card.dataset.state = next;
  }

  const isRunning = () => isBusy || (record !== null && !record.end);

  function showStart() {
    // Not `disabled`: that would take the focus away from a user who pressed it with a key.
    part("start").setAttribute("aria-disabled", isRunning());
    part("start").textContent = isRunning() ? "Running" : record ? "Start another" : "Start the stream";
  }

  function showNotice(text) {
    part("notice").textContent = text;
    part("notice").hidden = !text;
  }

  function showEvent(data) {
    const item = document.createElement("li");
    item.textContent = data;
    part("events").append(item);
    part("no-events").hidden = true;
  }

  function showEnd() {
    part("end").textContent = said(ENDS, record.end) ?? "The stream ended.";
    part("end").hidden = !record.end;
    part("no-events").hidden ||= Boolean(record.end);
  }

  function showCommands() {
    const stream = NOTHING_LEFT.includes(record?.end) ? undefined : record?.stream;
    part("curl-start").textContent = `curl -X POST ${location.origin}${SOURCE}`;
    part("curl-read").textContent = `curl -N ${location.origin}/streams/${stream ?? "NAME"}`;
    part("read-any").hidden = Boolean(stream);
    part("read-this").hidden = !stream;
  }

  function showStep(step, index) {
    const row = document.createElement("tr");
    row.setAttribute("role", "row");
    const cell = (name, label, text) => {
      const made = document.createElement("td");
      made.setAttribute("role", "cell");
      made.className = name;
      made.dataset.label = label;
      made.textContent = text;
      row.append(made);
    };
    cell("step", "Step", `${index + 1}`);
    cell("action", "Action", step.action);
    cell(step.data ? "data" : "data is-none", "Data sent", inCell(step.data));
    cell("number wait", "Waiting time", "");
    cell(`connection is-${step.state}`, "Connection", said(STATES, step.state) ?? "");
    cell("number", "Since start", seconds(step.at - record.begun));
    part("steps").append(row);
    part("no-steps").hidden = true;
  }

  /** How long a step waited for the next one; the last one is still waiting, unless it is the end. */
  function showWait(index) {
    const cell = part("steps").children[index]?.querySelector(".wait");
    if (!cell) return;
    const next = record.steps[index + 1]?.at;
    const isLive = next === undefined && !record.end;
    const until = next ?? (isLive ? now() : record.steps[index].at);
    cell.classList.toggle("is-live", isLive);
    cell.textContent = isLive && prefersStill() ? "…" : seconds(until - record.steps[index].at);
  }

  function note(action, data, of = state) {
    const step = { action, data, state: of, at: now() };
    record.steps.push(step);
    showStep(step, record.steps.length - 1);
    showWait(record.steps.length - 2);
    showWait(record.steps.length - 1);
  }

  function tick() {
    clearInterval(ticking);
    ticking = setInterval(() => {
      if (record.end) clearInterval(ticking);
      else if (record.steps.length > 0 && !prefersStill()) showWait(record.steps.length - 1);
    }, TICK_MS);
  }

  function showAll() {
    part("events").replaceChildren();
    part("steps").replaceChildren();
    part("no-events").hidden = part("no-steps").hidden = false;
    record.events.forEach(showEvent);
    record.steps.forEach(showStep);
    record.steps.forEach((_, index) => showWait(index));
    showEnd();
    showCommands();
    showStart();
  }

  /** What is left to do once the record has its end. */
  function finish() {
    // A read can be refused because the page is closing, or the server had a bad moment: a reload asks again.
    if (record.end !== "refused") keep(record);
    showEnd();
    showCommands();
    showStart();
  }

  const opened = () => {
    if (record.steps.length === 0) return first;
    return state === "waiting" ? "Connected again" : "The page is back and reads on";
  };

  const hears = {
    state(next) {
      const action = opened();
      const before = state;
      showState(next);
      if (next === "open") {
        note(action, null);
        keep(record);
      }
      if (next === "waiting" && before === "open") note("The connection is lost", null);
    },
    event(data, id) {
      if (record.events.length >= EVENTS_MAX) return reading.close("crowded");
      const heard = shortened(data, EVENT_CHARS_MAX);
      record.events.push(heard);
      record.after = id;
      showEvent(heard);
      note("An event is sent", heard);
      keep(record);
    },
    end(reason) {
      record.end = reason;
      note(said(LAST_STEPS, reason) ?? "The stream ends", null);
      finish();
    },
    async lost(reason) {
      // Events were dropped before they were heard: what did come is still right.
      if (reason === "trimmed") return;
      // The place is from another log: what was heard has no place in this one.
      record.events = [];
      record.after = "";
      showAll();
      const asked = reading;
      if ((await presence(record.stream)) === "gone") asked.close("gone");
    },
  };
  let reading = null;

  function join(joined) {
    record = joined;
    showAll();
    if (record.end) return showState("ended");
    tick();
    reading = read(record.stream, record.after, hears);
  }

  async function start() {
    if (isRunning()) return;
    isBusy = true;
    showNotice("");
    showStart();
    const begun = now();
    try {
      const stream = await ask();
      history.replaceState(null, "", `#s4=${stream.slice(FOLDER.length)}`);
      showState("");
      isBusy = false;
      first = "The source starts";
      join(newRecord(stream, begun));
      keep(record);
    } catch (failure) {
      showNotice(failure.message);
    } finally {
      isBusy = false;
      showStart();
    }
  }

  /** Joins the run in the address, if it is still kept. */
  async function resume() {
    const named = ADDRESS.exec(location.hash);
    if (!named) return;
    const stream = FOLDER + named[1];
    const known = kept(stream);
    if (!known?.end && (await presence(stream)) === "gone") {
      record = known ?? newRecord(stream, now());
      record.end = "gone";
      showAll();
      showState("ended");
      return finish();
    }
    first = "The page joins";
    join(known ?? newRecord(stream, now()));
  }

  part("start").addEventListener("click", start);
  showCommands();
  isBusy = Boolean(location.hash);
  part("start").disabled = false;
  showStart();
  resume().finally(() => {
    isBusy = false;
    showStart();
  });
}

/** Asks for a run, and gives the name of its stream. */
async function ask() {
  let answer;
  try {
    answer = await fetch(SOURCE, { method: "POST" });
  } catch {
    throw new Error("The server does not answer. Is it running?");
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.status !== 201) throw new Error(told.detail ?? `The server answered ${answer.status}.`);
  return told.stream;
}

/** What a table has for a word from elsewhere; undefined where it has nothing. */
const said = (table, word) => (Object.hasOwn(table, word) ? table[word] : undefined);

/** The data of a step in a table's cell. A step has no data, or an event's, which may be empty. */
const inCell = (data) => (data ? shortened(data, CELL_CHARS_MAX) : data === "" ? "empty" : "none");

/** The text, or its beginning. No character is cut in two. */
function shortened(text, chars_max) {
  return text.length > chars_max ? `${text.slice(0, chars_max).replace(/[\uD800-\uDBFF]$/, "")}…` : text;
}

const seconds = (ms) => `${(Math.max(0, ms) / 1000).toFixed(2)} s`;
const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
