import { formatDuration, type Json } from '@postern/core'
import { askGateway } from '@postern/server'
import type { Command, CommandContext } from './command.ts'
import { EXIT } from './exit-code.ts'
import { type ListedLimit, listLimits } from './limit-listing.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { checkedKey } from './with-limit-overrides.ts'

const SHOWN_ROUTES = 3
const FILES = { count: '', free: ', without static files', only: ', static files only' }

interface Row {
  readonly name: string
  readonly kind: string
  readonly limit: number
  readonly window: string
  readonly remaining: number
  readonly retryAfter: number
}

/**
 * `postern limits show`: asked of the running gateway, for it alone knows. Without a key, the limits
 * themselves and what can be asked.
 */
export const run: Command = async ([key], options, context) => {
  const { dataDirectory, config } = await loadSetup(options, context)
  if (key === undefined) {
    list(listLimits(config), context)
    return EXIT.done
  }
  const rows = readRows(await askGateway(dataDirectory, 'limits/show', { key: checkedKey(key) }))
  for (const { name, kind, limit, window, remaining, retryAfter } of rows) {
    const left = `${remaining} of ${limit} left ${kind === 'concurrency' ? 'at once' : `in ${window}`}`
    context.output.line(
      `${name.padEnd(16)} ${left}${retryAfter > 0 ? `, next in ${formatDuration(retryAfter)}` : ''}`,
    )
  }
  if (rows.length === 0)
    context.output.line('no limit can be shown for a key alone; postern limits show lists them')
  context.output.result({ key, limits: rows })
  return EXIT.done
}

function list(limits: readonly ListedLimit[], { output }: CommandContext): void {
  if (limits.length === 0) output.line('no limits: the configuration switches all of them off')
  const width = Math.max(...limits.map(({ name }) => name.length))
  for (const { name, rule, key, routes, staticFiles } of limits) {
    const where = routes === undefined || name.startsWith('route ') ? '' : `, on ${safe(places(routes))}`
    output.line(
      `${safe(name).padEnd(width)}  ${rule.padEnd(16)} per ${safe(key)}${where}${FILES[staticFiles]}`,
    )
  }
  output.line(
    'What one key has left: postern limits show KEY, e.g. an address (203.0.113.7), user:alice, a tenant; asked of the running gateway.',
  )
  output.result({ limits })
}

function places(routes: readonly string[]): string {
  const rest = routes.length - SHOWN_ROUTES
  return `${routes.slice(0, SHOWN_ROUTES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** What the gateway answered, as far as it is what it should be. */
function readRows(answer: Json): readonly Row[] {
  if (!Array.isArray(answer)) return []
  return answer.flatMap((row: Json) => {
    if (typeof row !== 'object' || row === null) return []
    const { name, kind, limit, window, remaining, retryAfter } = row as Readonly<Record<string, Json>>
    return [
      {
        name: String(name),
        kind: String(kind),
        limit: Number(limit),
        window: String(window),
        remaining: Number(remaining),
        retryAfter: Number(retryAfter),
      },
    ]
  })
}
