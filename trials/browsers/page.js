// Listens with the browser's own EventSource, and reports everything it hears to this page's server, in order.
//
// It never calls close(): only the event stream can make a page stop for good.
//
// It sends a list of reports, each a list: ["event", name, data, id], ["open"], ["error", readyState],
// or ["fault", text] for what goes wrong in this script.

const REPORTS_MAX = 500;

const plan = await (await fetch("plan")).json();
const reports = [];
let isTelling = false;

async function tell(report) {
  reports.push(report);
  if (isTelling) return;
  isTelling = true;
  while (reports.length > 0) {
    const body = JSON.stringify(reports.splice(0, REPORTS_MAX));
    await fetch("heard", { method: "POST", body });
  }
  isTelling = false;
}

addEventListener("error", (event) => tell(["fault", event.message]));
addEventListener("unhandledrejection", (event) => tell(["fault", String(event.reason)]));

const source = new EventSource(plan.url);

function hear(event) {
  // A published event may be named "open" or "error", like those that the browser makes itself.
  if (event instanceof MessageEvent) tell(["event", event.type, event.data, event.lastEventId]);
  else if (event.type === "open") tell(["open"]);
  else tell(["error", source.readyState]);
}

for (const name of new Set(["open", "error", "message", ...plan.names])) {
  source.addEventListener(name, hear);
}
