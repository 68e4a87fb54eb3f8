import { formatDuration, type Json } from '@postern/core'
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
  const rows = readRows(await askGateway(dataDirectory, 'limits/show', { key }))
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

/** What the gateway answered, as far as it is what it should be. */
function readRows(answer: Json): readonly Row[] {
  if (!Array.isArray(answer)) return []
  return answer.flatMap((row: Json) => {
    if (typeof row !== 'object' || row === null) return []
    const { name, limit, window, remaining, retryAfter } = row as Readonly<Record<string, Json>>
    return [
      {
        name: String(name),
        limit: Number(limit),
        window: String(window),
        remaining: Number(remaining),
        retryAfter: Number(retryAfter),
      },
    ]
  })
}
