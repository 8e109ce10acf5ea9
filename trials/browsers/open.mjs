// Opens one page in one browser, and closes the browser when stdin ends.
//
//   node open.mjs chromium|firefox EXECUTABLE PROFILE URL
//
// On stdout, one line for each: `browser PID` once it runs, `fault TEXT` when it ends by itself. The page tells what
// it hears, and what goes wrong in it, to the server it came from; nothing of it comes through here.

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

const options =
  browserName === "chromium"
    ? { browser: "chrome", pipe: true, userDataDir, args: CHROMIUM }
    : { browser: "firefox", userDataDir };

function say(line) {
  process.stdout.write(line.replaceAll("\n", " ") + "\n");
}

const browser = await puppeteer.launch({ ...options, executablePath, headless: true });
say(`browser ${browser.process().pid}`);
process.stdin.on("end", async () => {
  await browser.close();
  process.exit(0);
});
process.stdin.resume();

browser.on("disconnected", () => say("fault the browser is gone"));
const page = await browser.newPage();
await page.goto(url);
