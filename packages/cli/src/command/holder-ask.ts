import { resolve } from 'node:path'
import { ConfigError } from '@postern/core'
import { askHolder } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'

/** `postern holder ask CONFIG OPERATION [VALUE]`. */
export const run: Command = async ([path = '', operation = '', value = ''], _options, context) => {
  const answer = await askHolder(resolve(context.folder, path), requestOf(operation, value, context.folder))
  context.output.line(JSON.stringify(answer, undefined, 2))
  context.output.result(answer)
  return EXIT.done
}

function requestOf(operation: string, value: string, folder: string): object {
  switch (operation) {
    case 'status':
      return { op: 'status' }
    case 'freeze':
    case 'thaw':
      return { op: operation, actor: value }
    case 'begin-epoch':
      return { op: 'epoch.begin', epoch: Number(value) }
    case 'remove-epoch':
      return { op: 'epoch.remove', epoch: Number(value) }
    case 'backup':
      return { op: 'backup', path: resolve(folder, value) }
    case 'canary':
      try {
        return { op: 'canary', context: JSON.parse(value) as unknown }
      } catch {
        throw new ConfigError({
          place: 'holder ask canary',
          problem: 'needs the JSON that postern vault canary prints',
        })
      }
    default:
      throw new ConfigError({
        place: 'holder ask',
        problem: `"${operation}" is not an operation`,
        hint: 'status, freeze, thaw, begin-epoch, remove-epoch, canary or backup',
      })
  }
}
