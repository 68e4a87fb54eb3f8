import { parseLimitRule } from '@postern/config'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { checkedKey, withLimitOverrides } from './with-limit-overrides.ts'

/** `postern limits set`: a rule of one key, obeyed by every running process within seconds. */
export const run: Command = async ([name = '', given = '', rule = ''], options, context) => {
  const key = checkedKey(given)
  parseLimitRule(rule)
  const act = { action: 'limits.set', resource: { type: 'limit', id: name }, data: { key, rule } }
  await withLimitOverrides(options, context, name, table => table.set({ name, key, rule }), act)
  context.output.line(`the limit ${safe(name)} of ${safe(key)} is ${rule} within 5 seconds`)
  context.output.result({ name, key, rule })
  return EXIT.done
}
