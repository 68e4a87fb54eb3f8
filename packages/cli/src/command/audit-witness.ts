import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { COSIGNATURE_V1, generateNoteKey, Witness, witnessHandler } from '@postern/audit'
import { parseListen } from '@postern/config'
import { boundedServer, ConfigError } from '@postern/core'
import { PortInUse } from '@postern/runtime'
import { openDataDirectory } from '@postern/store'
import { type Command, listOption, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { stopped } from './gateway.ts'
import { loadSetup } from './setup.ts'

const MAX_CONNECTIONS = 64

/**
 * `postern audit witness`: runs a C2SP witness. It keeps the last checkpoint of each log in its list and
 * countersigns the next only when it extends that one; its own key is made on the first start.
 */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const logs = listOption(options, 'log').map(parseLog)
  if (logs.length === 0)
    throw new ConfigError({
      place: '--log',
      problem: 'no log to cosign',
      hint: 'postern audit witness --log ORIGIN=KEY; `postern audit checkpoint --json` on its machine shows both',
    })
  const { dataDirectory } = await loadSetup(options, context)
  const directory = openDataDirectory(dataDirectory)
  const signerKey = keyIn(directory.file('witness-key'), textOption(options, 'name') ?? 'witness.local')
  const witness = Witness.open({ directory: directory.file('witness'), signerKey, logs })
  // The table of commands has the default.
  const { host, port } = parseListen(textOption(options, 'listen') ?? '')
  const server = boundedServer(createServer, witnessHandler(witness), { connections: MAX_CONNECTIONS })
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(PortInUse.explain(error, host, port, '--listen')))
    server.listen(port, host, resolve)
  })
  output.line(`witnessing ${logs.map(log => log.origin).join(', ')} at http://${host}:${port}`)
  output.line(
    `in the configuration of each: audit: { witnesses: [{ url: 'http://${host}:${port}', verifierKey: '${witness.verifierKey}' }] }`,
  )
  output.result({ event: 'listening', url: `http://${host}:${port}`, verifierKey: witness.verifierKey })
  await stopped(context.signal)
  await new Promise(resolve => {
    server.close(resolve)
    server.closeAllConnections()
  })
  witness.close()
  return EXIT.done
}

function parseLog(text: string): { readonly origin: string; readonly verifierKeys: readonly string[] } {
  const equals = text.indexOf('=')
  if (equals < 1)
    throw new ConfigError({ place: '--log', problem: `"${text.slice(0, 60)}" is not ORIGIN=KEY` })
  return { origin: text.slice(0, equals), verifierKeys: [text.slice(equals + 1)] }
}

/** The witness's own key, made on the first start; mode 0600. */
function keyIn(path: string, name: string): string {
  if (!existsSync(path))
    writeFileSync(path, `${generateNoteKey(name, COSIGNATURE_V1).signerKey}\n`, { mode: 0o600, flag: 'wx' })
  return readFileSync(path, 'utf8').trim()
}
