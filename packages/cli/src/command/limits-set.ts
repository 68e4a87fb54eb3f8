import { parseLimitRule } from '@postern/config'
import { ConfigError } from '@postern/core'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withLimitOverrides } from './with-limit-overrides.ts'

/** `postern limits set`: a rule of one key, obeyed by every running process within seconds. */
export const run: Command = async ([name = '', key = '', rule = ''], options, context) => {
  if (key === '' || key.length > 256)
    throw new ConfigError({ place: 'key', problem: 'must be text of 1 to 256 characters' })
  parseLimitRule(rule)
  const act = { action: 'limits.set', resource: { type: 'limit', id: name }, data: { key, rule } }
  await withLimitOverrides(options, context, name, table => table.set({ name, key, rule }), act)
  context.output.line(`${safe(name)} of ${safe(key)} is ${rule} from now on, within 5 seconds`)
  context.output.result({ name, key, rule })
  return EXIT.done
}
