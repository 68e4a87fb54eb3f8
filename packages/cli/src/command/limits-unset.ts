import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { checkedKey, withLimitOverrides } from './with-limit-overrides.ts'

/** `postern limits unset`: exit 1 when the key had no rule of its own. */
export const run: Command = async ([name = '', given = ''], options, context) => {
  const key = checkedKey(given)
  const act = { action: 'limits.unset', resource: { type: 'limit', id: name }, data: { key } }
  const removed = await withLimitOverrides(options, context, undefined, table => table.remove(name, key), act)
  context.output.line(
    removed
      ? `the limit ${safe(name)} of ${safe(key)} is the common one again`
      : `${safe(key)} has no rule of its own in ${safe(name)}`,
  )
  context.output.result({ name, key, removed })
  return removed ? EXIT.done : EXIT.no
}
