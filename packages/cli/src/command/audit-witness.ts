import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { COSIGNATURE_V1, generateNoteKey, Witness, witnessHandler } from '@postern/audit'
import { ConfigError } from '@postern/core'
import { openDataDirectory } from '@postern/store'
import { type Command, listOption, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { failureLines, listenOption, serveUntilStopped } from './serve-until-stopped.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit witness`: runs a C2SP witness. It keeps the last checkpoint of each log in its list and
 * countersigns the next only when it extends that one; its own key is made on the first start.
 */
export const run: Command = async (_args, options, context) => {
  const { output, signal } = context
  const logs = listOption(options, 'log').map(parseLog)
  if (logs.length === 0)
    throw new ConfigError({
      place: '--log',
      problem: 'no log to cosign',
      hint: 'postern audit witness --log ORIGIN=KEY; `postern audit checkpoint --json` on its machine shows both',
    })
  const place = listenOption(options)
  const { dataDirectory } = await loadSetup(options, context)
  const directory = openDataDirectory(dataDirectory)
  const signerKey = keyIn(directory.file('witness-key'), textOption(options, 'name') ?? 'witness.local')
  const witness = Witness.open({ directory: directory.file('witness'), signerKey, logs })
  try {
    const handler = witnessHandler(witness, '', failureLines(output, 'audit witness'))
    await serveUntilStopped(handler, place, signal, url => {
      output.line(`witnessing ${logs.map(log => log.origin).join(', ')} at ${url}`)
      output.line(
        `in the configuration of each: audit: { witnesses: [{ url: '${url}', verifierKey: '${witness.verifierKey}' }] }`,
      )
      output.result({ event: 'listening', url, verifierKey: witness.verifierKey })
    })
    return EXIT.done
  } finally {
    witness.close()
  }
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
