import { systemClock } from '@postern/core'
import type { RemediationStore } from '@postern/remediate'
import { Connections, type OperatorAct, openRemediations, recordOperator } from '@postern/runtime'
import type { CommandContext, CommandOptions } from './command.ts'
import { loadSetup } from './setup.ts'

/**
 * Opens the remediations of the configuration for one piece of work and closes them after it, so that
 * what the work changed is stored.
 * @param act what the work changes, for the log; absent when it only reads
 * @throws ConfigError for a bad configuration; StoreError when they cannot be read
 */
export async function withRemediations<T>(
  options: CommandOptions,
  context: CommandContext,
  work: (store: RemediationStore) => Promise<T>,
  act?: OperatorAct,
): Promise<T> {
  const setup = await loadSetup(options, context)
  const { config, dataDirectory } = setup
  const connections = new Connections(config, dataDirectory, 'existing')
  try {
    const store = await openRemediations({ config, connections })
    try {
      if (act === undefined) return await work(store)
      return await recordOperator(setup, act, systemClock, () => work(store))
    } finally {
      await store.close()
    }
  } finally {
    await connections.close()
  }
}
