import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withIdentity } from './with-identity.ts'

/**
 * `postern keys leak`: revokes keys that were found in public, read from standard input, so that they stand
 * in no history of a shell.
 */
export const run: Command = async (_args, options, context) => {
  let text = ''
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.length > 1_000_000) break
  }
  const found = [
    ...new Set(
      text.match(/[a-z][a-z0-9]{1,15}_[a-z0-9]{2,16}_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}/g),
    ),
  ]
  const act = { action: 'keys.leak', resource: { type: 'apiKey' }, data: { count: found.length } }
  const ours = await withIdentity(
    options,
    context,
    async identity => {
      let count = 0
      for (const key of found) if (await identity.apiKeys.reportLeak(key, 'command line')) count++
      return count
    },
    act,
  )
  context.output.line(`${ours} of ${found.length} are keys of this installation, and revoked`)
  context.output.result({ found: found.length, revoked: ours })
  return ours > 0 ? EXIT.done : EXIT.no
}
