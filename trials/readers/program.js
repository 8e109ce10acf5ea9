// What every JavaScript reader program does: takes its arguments, says what it hears, ends with its stdin.
//
// One JSON object a line on stdout: {"open":true}, {"event","data","id"}, {"error"}, {"stopped":true}.

export function say(what) {
  process.stdout.write(JSON.stringify(what) + '\n')
}

// The command line's arguments: first what the program needs, then the URL, then the events' names.
export function words(count) {
  const [own, [url, ...names]] = [process.argv.slice(2, 2 + count), process.argv.slice(2 + count)]
  return { own, url, names }
}

export function endWithStdin(close = () => {}) {
  process.stdin.on('end', async () => {
    await close()
    process.exit(0)
  })
  process.stdin.resume()
}
