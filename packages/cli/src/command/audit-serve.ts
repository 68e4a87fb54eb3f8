import { createServer } from 'node:http'
import { logHandler } from '@postern/audit'
import { parseListen } from '@postern/config'
import { boundedServer } from '@postern/core'
import { openAuditSource, PortInUse } from '@postern/runtime'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { stopped } from './gateway.ts'
import { loadSetup } from './setup.ts'

const MAX_CONNECTIONS = 64

/**
 * `postern audit serve`: the log's checkpoint, tiles and entries for others to verify (C2SP tlog-tiles), read
 * only, beside whatever appends to it. Entries say in the clear what was done: it listens to this machine
 * alone by default.
 */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  // The table of commands has the default.
  const { host, port } = parseListen(textOption(options, 'listen') ?? '')
  const log = await openAuditSource(await loadSetup(options, context))
  const server = boundedServer(createServer, logHandler(log.reader), { connections: MAX_CONNECTIONS })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', error => reject(PortInUse.explain(error, host, port, '--listen')))
      server.listen(port, host, resolve)
    })
    const address = server.address()
    const at = typeof address === 'object' && address !== null ? address.port : port
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${at}`
    const { origin, size } = await log.reader.head()
    output.line(`serving ${origin}, ${size} entries, at ${url}/checkpoint and ${url}/tile/`)
    output.result({ event: 'listening', url, origin })
    await stopped(context.signal)
    return EXIT.done
  } finally {
    await new Promise(resolve => {
      server.close(resolve)
      server.closeAllConnections()
    })
    await log.close()
  }
}
