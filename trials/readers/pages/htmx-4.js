// One element that connects; events without a name are swapped into it, named ones are DOM events on it. `?close`
// adds the attribute that its manual gives for an end.

const element = document.createElement('div')
element.setAttribute('hx-sse:connect', given.url)
if (location.search === '?close') element.setAttribute('hx-sse:close', 'end')

// A preflight would refuse its own headers, which the server does not need.
document.addEventListener('htmx:before:request', ({ detail: { ctx: { request: { headers } } } }) => {
  for (const name of Object.keys(headers)) if (name.startsWith('HX-')) delete headers[name]
})
element.addEventListener('htmx:sse:after:connection', ({ detail: { connection } }) => {
  if (connection.status === 200) say({ open: true })
})
element.addEventListener('htmx:sse:error', ({ detail: { error } }) => say({ error: String(error) }))
element.addEventListener('htmx:sse:close', () => say({ stopped: true }))
element.addEventListener('htmx:sse:before:message', ({ detail: { message: { event, data, id } } }) => {
  say({ event: event || 'message', data, id })
})

// Before the page is ready, so that htmx finds it.
document.body.append(element)
