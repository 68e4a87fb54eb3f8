import { createReadStream, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { checkExport, parseVerifierKey } from '@postern/audit'
import { ConfigError, errorCode } from '@postern/core'
import { openAuditSource } from '@postern/runtime'
import { logLines } from '../replay/log-lines.ts'
import { asStarter } from './act-as-owner.ts'
import { type Command, listOption } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup, type Setup } from './setup.ts'

/**
 * `postern audit check-export FILE`: every proof and number of a complete export, and that the log signed
 * where it ends. Exit 4 when something was changed or cut out, 1 when the end is not signed, so that the last
 * entries may be missing.
 */
export const run: Command = async ([name = ''], options, context) => {
  const { output, folder } = context
  const given = listOption(options, 'key')
  const keys = given.length > 0 ? given : await ownKeys(await loadSetup(options, context))
  const verifiers = keys.map(key => parseVerifierKey(key, '--key'))
  const { tenant, first, count, checkpoint, isComplete } = await checkExport(
    linesOf(resolve(folder, name)),
    verifiers,
  )
  const of = `${counted(count, 'entry', 'entries')} of tenant "${safe(tenant)}" from number ${first} on, under a checkpoint of ${safe(checkpoint.origin)} with ${counted(checkpoint.size, 'entry', 'entries')}`
  if (isComplete) output.line(`${output.paint('green', 'complete')}: ${of}`)
  else
    output.line(
      `${output.paint('yellow', 'genuine, but its end is not signed')}: ${of}; ${first === 1 ? '' : 'earlier and '}later entries may be missing`,
    )
  if (given.length === 0)
    output.note(
      'Checked with the keys that the log names for itself; give its key with --key to exclude a forger.',
    )
  output.result({ tenant, first, count, isComplete, origin: checkpoint.origin, size: checkpoint.size })
  return isComplete ? EXIT.done : EXIT.no
}

async function ownKeys(setup: Setup): Promise<readonly string[]> {
  const log = await openAuditSource(setup)
  try {
    return log.trustedKeys ?? (await log.reader.verifierKeys())
  } finally {
    await log.close()
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  try {
    const stream = createReadStream(path, { fd: asStarter(() => openSync(path, 'r')) })
    for await (const { lines } of logLines(stream)) yield* lines
  } catch (cause) {
    const code = errorCode(cause)
    if (code !== 'ENOENT' && code !== 'EISDIR') throw cause
    throw new ConfigError(
      { place: path, problem: code === 'ENOENT' ? 'there is no such file' : 'is a folder' },
      { cause },
    )
  }
}
