import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { wholeList } from './whole-list.ts'
import { withIdentity } from './with-identity.ts'

/** `postern keys list`: every key, newest first; never the key itself. */
export const run: Command = async (_args, options, context) => {
  const keys = await withIdentity(options, context, identity =>
    wholeList(context.output, limit => identity.apiKeys.listAll(limit)),
  )
  for (const key of keys) {
    const state = key.revokedAt === undefined ? 'live' : `revoked (${key.revokedWhy ?? ''})`
    const owner = `${key.owner.kind}:${key.owner.id}`
    context.output.line(`${key.id}  ${state.padEnd(8)}  ${owner.padEnd(24)}  ${safe(key.name)}`)
    context.output.result(key)
  }
  if (keys.length === 0) context.output.line('there are no API keys: postern keys create SERVICE')
  return EXIT.done
}
