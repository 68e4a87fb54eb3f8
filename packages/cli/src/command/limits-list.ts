import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withLimitOverrides } from './with-limit-overrides.ts'

/** `postern limits list`: keys that have rules of their own. */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const all = await withLimitOverrides(options, context, undefined, table => table.list())
  for (const { name, key, rule } of all) {
    output.line(`${name.padEnd(16)} ${safe(key).padEnd(32)} ${rule}`)
    output.result({ name, key, rule })
  }
  if (all.length === 0) output.line('no key has a rule of its own')
  return EXIT.done
}
