// One element that connects and takes every named event into itself. `?close` adds the attribute that its manual
// gives for an end.

const element = document.createElement('div')
element.setAttribute('hx-ext', 'sse')
element.setAttribute('sse-connect', given.url)
element.setAttribute('sse-swap', given.names.join(','))
if (location.search === '?close') element.setAttribute('sse-close', 'end')

element.addEventListener('htmx:sseOpen', () => say({ open: true }))
element.addEventListener('htmx:sseError', () => say({ error: 'error' }))
element.addEventListener('htmx:sseClose', () => say({ stopped: true }))
element.addEventListener('htmx:sseMessage', ({ detail: { type, data, lastEventId } }) => {
  say({ event: type, data, id: lastEventId })
})

// Before the page is ready, so that htmx finds it.
document.body.append(element)
