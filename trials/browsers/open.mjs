// Opens one page in one browser, does in it what it is told, and closes the browser when stdin ends.
//
//   node open.mjs chromium|firefox EXECUTABLE PROFILE URL
//
// On stdin, one JSON object a line: an act from the table below, and the selector it applies to. On stdout, one line
// each: `browser PID` once it runs; `did TEXTS` after an act, with a JSON list; `fault TEXT` when an act fails or
// the browser ends by itself.

import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [browserName, executablePath, userDataDir, url] = process.argv.slice(2);

const CHROMIUM = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Shorter than the caller's wait for an answer. */
const ACT_MS_MAX = 45_000;
/** At most this many faults are kept. */
const FAULTS_MAX = 100;

const options =
  browserName === "chromium"
    ? { browser: "chrome", pipe: true, userDataDir, args: CHROMIUM }
    : { browser: "firefox", userDataDir };

function say(line) {
  process.stdout.write(line.replaceAll("\n", " ") + "\n");
}

const faults = [];

function note(fault) {
  if (faults.length < FAULTS_MAX) faults.push(fault);
}

/** In the page: not every browser's console shows what the policy forbids. */
function tellViolations() {
  addEventListener("securitypolicyviolation", (event) => {
    console.error(`forbidden by ${event.effectiveDirective}: ${event.blockedURI}`);
  });
}

const ACTS = {
  wait: async (page, selector) => void (await page.waitForSelector(selector, { visible: true })),
  press: (page, selector) => page.click(selector),
  reload: async (page) => void (await page.reload()),
  texts: (page, selector) => page.$$eval(selector, (found) => found.map((element) => element.textContent)),
  faults: async () => faults,
};

async function open(browser) {
  const page = await browser.newPage();
  page.setDefaultTimeout(ACT_MS_MAX);
  page.on("console", (line) => line.type() === "error" && note(line.text()));
  page.on("pageerror", (error) => note(String(error)));
  await page.evaluateOnNewDocument(tellViolations);
  await page.goto(url);
  return page;
}

async function act(page, line) {
  const { act, selector } = JSON.parse(line);
  try {
    say(`did ${JSON.stringify((await ACTS[act](page, selector)) ?? [])}`);
  } catch (error) {
    say(`fault ${error}`);
  }
}

const browser = await puppeteer.launch({ ...options, executablePath, headless: true });
say(`browser ${browser.process().pid}`);
const opened = open(browser);
let doing = opened;
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => (doing = doing.then(() => opened).then((page) => act(page, line))));
lines.on("close", async () => {
  await browser.close();
  process.exit(0);
});

browser.on("disconnected", () => say("fault the browser is gone"));
await opened;
