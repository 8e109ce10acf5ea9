// Reads with a page in Chromium. The page is served from a port of its own, so that it has another origin.
//
// node page.js PAGE URL NAME...

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { endWithStdin, say, words } from './program.js'

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' }
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

const { own: [name], url, names } = words(1)

// The pages unchanged, and the packages under /node_modules/, where a module may be named without its extension.
async function serve(request, response) {
  const path = new URL(request.url, 'http://here').pathname
  const file = /\.(html|js)$/.test(path) ? path : path + '.js'
  try {
    const folder = path.startsWith('/node_modules/') ? '.' : './pages'
    const text = await readFile(new URL(folder + file, import.meta.url))
    response.writeHead(200, { 'Content-Type': TYPES[file.split('.').pop()] }).end(text)
  } catch {
    response.writeHead(404).end()
  }
}

const server = createServer(serve).listen(0, '127.0.0.1')
await new Promise((listening) => server.once('listening', listening))

// The browser's driver is installed with the browsers' trials.
const browsers = createRequire(new URL('../browsers/package.json', import.meta.url))
const { default: puppeteer } = await import(pathToFileURL(browsers.resolve('puppeteer-core')))
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  pipe: true,
  args: FLAGS,
})
endWithStdin(() => browser.close())

const page = await browser.newPage()
await page.exposeFunction('say', say)
page.on('pageerror', (error) => say({ error: String(error) }))
await page.evaluateOnNewDocument((given) => { window.given = given }, { url, names })
await page.goto(`http://127.0.0.1:${server.address().port}/${name}`)
