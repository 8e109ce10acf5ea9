// Reads with a package that has an `EventSource`, just as a page would.
//
// node event-source.js PACKAGE URL NAME...

import { File } from 'node:buffer'
import { endWithStdin, say, words } from './program.js'

// Node 18 has it, but not where undici looks for it.
globalThis.File ??= File

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
