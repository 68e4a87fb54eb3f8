#!/usr/bin/env node
import { main } from '@postern/cli'

// A reader that closed the pipe (`postern replay ... | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
process.exitCode = await main(process.argv.slice(2), process)
