import { createServer, type RequestListener } from 'node:http'
import { type Listen, parseListen } from '@postern/config'
import { boundedServer, ErrorLines, systemClock, urlHost } from '@postern/core'
import { PortInUse } from '@postern/runtime'
import { type CommandOptions, textOption } from './command.ts'
import { stopped } from './gateway.ts'
import type { Output } from './output.ts'

const MAX_CONNECTIONS = 64

/** Where `--listen` says; the table of commands has its default. @throws ConfigError that names the option */
export function listenOption(options: CommandOptions): Listen {
  return parseListen(textOption(options, 'listen') ?? '', '--listen')
}

/**
 * Serves HTTP until the process has to stop, and closes the listener whatever happens.
 * @param began is called with the URL once connections are accepted
 */
export async function serveUntilStopped(
  handler: RequestListener,
  { host, port }: Listen,
  signal: AbortSignal,
  began: (url: string) => void | Promise<void>,
): Promise<void> {
  const server = boundedServer(createServer, handler, { connections: MAX_CONNECTIONS })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', error => reject(PortInUse.explain(error, host, port, '--listen')))
      server.listen(port, host, resolve)
    })
    const address = server.address()
    const bound = typeof address === 'object' && address !== null ? address.port : port
    await began(`http://${urlHost(host)}:${bound}`)
    await stopped(signal)
  } finally {
    await new Promise(resolve => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
}

/** Prints why something is answered 500. @param part what failed, e.g. `audit serve` */
export function failureLines(output: Output, part: string): (error: unknown) => void {
  const lines = new ErrorLines(line => output.note(line), systemClock)
  return error => lines.report(part, error)
}
