#!/usr/bin/env node
import { EXIT, main } from '@postern/cli'
import { isServer } from './is-server.ts'

const args = process.argv.slice(2)
const serves = isServer(args)

// A reader that went away (`postern replay ... | head`) is not a failure of ours. A server goes on whatever
// becomes of its output: a reader or a terminal that went away, a disk that is full.
const GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'])
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (serves) return
    if (GONE.has(error.code)) process.exit(0)
    if (stream === process.stdout)
      process.stderr.write(`error: standard output: ${error.message}; hint: free space, or write elsewhere\n`)
    process.exit(EXIT.unavailable)
  })
// Module state: this file is the process, and there is one.
let hasFailed = false
// An error that nobody caught: requests under way finish, and a supervisor starts the server again. One that
// comes on top ends it at once, as it does everywhere else.
if (serves)
  process.once('uncaughtException', error => {
    hasFailed = true
    process.stderr.write(
      `error: a mistake that nobody caught ends this process: ${error.stack ?? error.message}\n`,
    )
    process.emit('SIGTERM')
  })
const exit = await main(args, process)
process.exitCode = hasFailed ? EXIT.bug : exit
// What is left open must not keep a server that stopped or failed to start: a supervisor waits for its end.
// Not reached when nothing is open.
if (serves || process.exitCode !== 0) setTimeout(() => process.exit(), 1_000).unref()
