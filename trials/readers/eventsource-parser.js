// Reads with eventsource-parser, which only parses: the loop that fetches and reconnects is written by hand.
//
// node eventsource-parser.js URL NAME...

import { setTimeout as wait } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { endWithStdin, say, words } from './program.js'

const { url } = words(0)
let lastEventId = ''
let retryMs = 1000

const parser = createParser({
  onEvent({ event = 'message', data, id }) {
    if (id !== undefined) lastEventId = id
    say({ event, data, id: lastEventId })
  },
  onRetry(ms) {
    retryMs = ms
  },
})

// Returns false when there is nothing more to come.
async function connect() {
  const headers = { Accept: 'text/event-stream' }
  if (lastEventId) headers['Last-Event-ID'] = lastEventId
  const answer = await fetch(url, { headers })
  if (answer.status === 204) return false
  if (answer.status !== 200) throw new Error(`status ${answer.status}`)
  say({ open: true })
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) parser.feed(text)
  return true
}

async function connectOrSay() {
  try {
    return await connect()
  } catch (error) {
    say({ error: String(error) })
    return true
  }
}

endWithStdin()
while (await connectOrSay()) {
  parser.reset()
  await wait(retryMs)
}
say({ stopped: true })
