import { ConfigError, systemClock } from '@postern/core'
import type { Revocations } from '@postern/identity'
import type { BuiltInIdentity } from '@postern/identity/built-in'
import {
  Connections,
  keepsRevocations,
  noteEnding,
  type OperatorAct,
  openIdentity,
  openRevocations,
  recordOperator,
} from '@postern/runtime'
import type { CommandContext, CommandOptions } from './command.ts'
import { loadSetup, unseenCode } from './setup.ts'

/**
 * Opens built-in identity for one piece of work.
 * @param act what the work changes, entered in the log before it is done; absent when it only reads
 * @throws ConfigError when the configuration has no `identity`; StoreError
 */
export async function withIdentity<T>(
  options: CommandOptions,
  context: CommandContext,
  work: (identity: BuiltInIdentity) => Promise<T>,
  act?: OperatorAct,
): Promise<T> {
  const setup = await loadSetup(options, context)
  const connections = new Connections(
    setup.config,
    setup.dataDirectory,
    act === undefined ? 'existing' : 'made',
  )
  const notices: Promise<void>[] = []
  let revocations: Revocations | undefined
  try {
    if (act !== undefined && keepsRevocations(setup.config, connections))
      revocations = await openRevocations(connections)
    const identity = await openIdentity(setup, connections, event => {
      notices.push(noteEnding(revocations, event))
    })
    if (identity === undefined)
      throw new ConfigError({
        place: 'identity',
        problem: 'is not configured',
        hint: `for example identity: { origin: "https://shop.example" }; see docs/identity.md${unseenCode(setup)}`,
      })
    try {
      return act === undefined
        ? await work(identity)
        : await recordOperator(setup, act, systemClock, () => work(identity))
    } finally {
      await identity.close()
    }
  } finally {
    await Promise.all(notices)
    await revocations?.close()
    await connections.close()
  }
}

/** Who makes a key, as approvals know them. @param name of the person, or the address of their account */
export async function makerNamed({ accounts }: BuiltInIdentity, name: string): Promise<string> {
  return `user:${(await accounts.named(name))?.id ?? name}`
}
