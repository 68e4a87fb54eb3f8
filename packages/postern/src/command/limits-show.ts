import { formatDuration } from '@postern/core'
import { askGateway } from '../admin/admin-client.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

interface Row {
  readonly name: string
  readonly limit: number
  readonly window: string
  readonly remaining: number
  readonly retryAfter: number
}

/** `postern limits show`: asked of the running gateway, for it alone knows. */
export const run: Command = async ([key = ''], options, context) => {
  const { dataDirectory } = await loadSetup(options, context)
  const rows = (await askGateway(dataDirectory, 'limits/show', { key })) as unknown as readonly Row[]
  for (const { name, limit, window, remaining, retryAfter } of rows) {
    const left = `${remaining} of ${limit} left in ${window}`
    context.output.line(
      `${name.padEnd(16)} ${left}${retryAfter > 0 ? `, next in ${formatDuration(retryAfter)}` : ''}`,
    )
  }
  if (rows.length === 0) context.output.line('no limit is held against a fixed key')
  context.output.result({ key, limits: rows })
  return EXIT.done
}
