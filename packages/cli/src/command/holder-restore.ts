import { dirname, resolve } from 'node:path'
import { ConfigError, StoreError } from '@postern/core'
import { askHolder } from '@postern/server'
import { readHolderConfig, restoreHolder } from '@postern/vault/holder'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'

/** `postern holder restore CONFIG BACKUP`, while the holder is stopped. */
export const run: Command = async ([path = '', backup = ''], _options, context) => {
  const file = resolve(context.folder, path)
  const { data, id } = readHolderConfig(file)
  if (await isRunning(file))
    throw new ConfigError({ place: file, problem: 'is of a holder that runs', hint: 'stop it first' })
  restoreHolder(resolve(context.folder, backup), resolve(dirname(file), data), id)
  context.output.line(`restored holder ${id}; the previous file was kept as ${data}.replaced`)
  context.output.line(
    'it opens nothing for one window of its budgets (a day with daily ones) after it starts, the other two do',
  )
  context.output.result({ id })
  return EXIT.done
}

async function isRunning(file: string): Promise<boolean> {
  try {
    await askHolder(file, { op: 'status' })
    return true
  } catch (error) {
    if (error instanceof StoreError) return false
    throw error
  }
}
