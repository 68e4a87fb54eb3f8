import type { CompiledConfig } from '@postern/config'
import { ConfigError, systemClock } from '@postern/core'
import {
  Connections,
  isOverridable,
  LimitOverrides,
  type OperatorAct,
  recordOperator,
} from '@postern/runtime'
import type { CommandContext, CommandOptions } from './command.ts'
import { loadSetup } from './setup.ts'

/**
 * Opens the rules of single keys for one piece of work; gateways may be running.
 * @param limit that the work is about; it must allow them
 * @param act what the work changes, for the log; absent when it only reads
 * @throws ConfigError when the configuration does not let that limit be overridden; StoreError
 */
export async function withLimitOverrides<T>(
  options: CommandOptions,
  context: CommandContext,
  limit: string | undefined,
  work: (table: LimitOverrides) => Promise<T>,
  act?: OperatorAct,
): Promise<T> {
  const setup = await loadSetup(options, context)
  const { config, dataDirectory } = setup
  if (limit !== undefined && !isOverridable(config, limit)) throw fixedLimit(config, limit.slice(0, 40))
  const connections = new Connections(config, dataDirectory, 'existing')
  try {
    const table = new LimitOverrides(connections)
    if (act === undefined) return await work(table)
    // Opened before the act is recorded: recording makes the data directory, and a mistyped one must be said.
    await table.list()
    return await recordOperator(setup, act, systemClock, () => work(table))
  } finally {
    await connections.close()
  }
}

/** Why single keys of a limit have no rules of their own: there is no such limit, or it does not let them. */
function fixedLimit({ limits }: CompiledConfig, limit: string): ConfigError {
  const names = limits.map(({ name }) => name)
  return new ConfigError(
    names.includes(limit)
      ? {
          place: `limits.${limit}`,
          problem: 'has one rule for everybody',
          hint: `limits: { ${limit}: { overrides: true, ... } } lets single keys have their own`,
        }
      : {
          place: 'limits',
          problem: `there is no limit "${limit}"`,
          hint: names.length === 0 ? 'none is configured' : `the limits are ${names.join(', ')}`,
        },
  )
}

/** A key of limits, as it was given. @throws ConfigError when it is empty or too long */
export function checkedKey(key: string): string {
  if (key !== '' && key.length <= 256) return key
  throw new ConfigError({ place: 'key', problem: 'must be text of 1 to 256 characters' })
}
