import { ConfigError, systemClock } from '@postern/core'
import { Connections, openRevocations, recordOperator } from '@postern/runtime'
import { type Command, type CommandContext, type CommandOptions, textOption } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { namedAccount, noAccount } from './named-account.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { withIdentity } from './with-identity.ts'

const PREFIX = 'principal:'

/**
 * `postern sessions revoke ID|EMAIL`, all of an account or one with `--session ID`: from the next request on,
 * on every node. `principal:ID` is whoever `identify` finds under that id, of an application with sessions or
 * tokens of its own.
 */
export const run: Command = async ([said = ''], options, context) => {
  if (said.startsWith(PREFIX)) return revokePrincipal(said.slice(PREFIX.length), options, context)
  const user = await namedAccount(said, options, context)
  if (user === undefined) return noAccount(said, context)
  const session = textOption(options, 'session')
  const act = {
    action: 'sessions.revoke',
    resource: { type: 'account', id: user },
    data: { session: session ?? 'all' },
  }
  const revoked = await withIdentity(options, context, identity => identity.endSessions(user, session), act)
  context.output.line(
    `${revoked} ${revoked === 1 ? 'session' : 'sessions'} of ${safe(said)} ${revoked === 1 ? 'is' : 'are'} no longer valid`,
  )
  context.output.result({ user, revoked })
  return revoked > 0 ? EXIT.done : EXIT.no
}

async function revokePrincipal(
  id: string,
  options: CommandOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const setup = await loadSetup(options, context)
  const connections = new Connections(setup.config, setup.dataDirectory, 'existing')
  // Sealed, unlike the id of a resource: it may be an address.
  const data = { principal: id, session: 'all' }
  const act = { action: 'sessions.revoke', resource: { type: 'principal' }, data }
  try {
    if (id === '')
      throw new ConfigError({ place: 'sessions revoke', problem: 'names nobody', hint: 'principal:alice' })
    const revocations = await openRevocations(connections)
    try {
      await recordOperator(setup, act, systemClock, () => revocations.revokePrincipal(id))
    } finally {
      await revocations.close()
    }
  } finally {
    await connections.close()
  }
  context.output.line(`every session and token issued to ${safe(id)} until now is no longer valid`)
  context.output.result({ principal: id, revoked: true })
  return EXIT.done
}
