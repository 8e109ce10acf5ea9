// Reads with a package that provides `EventSource`, just as a page would.
//
// node event-source.js PACKAGE URL NAME...

import { File } from 'node:buffer'
import { endWithStdin, say, words } from './program.js'

// What undici needs beyond Node 18: a name that is elsewhere there, and a function that a URL does not need.
globalThis.File ??= File
String.prototype.toWellFormed ??= function () { return String(this) }

const { own: [name], url, names } = words(1)
const { EventSource } = await import(name)
endWithStdin()

const source = new EventSource(url)
source.onopen = () => say({ open: true })
source.onerror = (error) => {
  say({ error: String(error.message ?? 'error') })
  if (source.readyState === EventSource.CLOSED) say({ stopped: true })
}
for (const name of names) {
  source.addEventListener(name, (event) => say({ event: event.type, data: event.data, id: event.lastEventId }))
}
