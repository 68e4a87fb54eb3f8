import { resolve } from 'node:path'
import { askHolder } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'

/**
 * `postern holder replace CONFIG NUMBER`: on both holders that are left, once the new one runs and both know
 * its fingerprint.
 */
export const run: Command = async ([path = '', number = ''], _options, context) => {
  const answer = await askHolder(resolve(context.folder, path), { op: 'give', holder: Number(number) })
  context.output.line(
    `holder ${number} has the part it shares with this one, of epochs ${JSON.stringify(answer['epochs'])}`,
  )
  context.output.result(answer)
  return EXIT.done
}
