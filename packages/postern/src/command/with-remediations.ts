import type { RemediationStore } from '@postern/detect'
import { Connections } from '../assembly/connections.ts'
import { openRemediations } from '../assembly/remediations.ts'
import type { CommandContext, CommandOptions } from './command.ts'
import { loadSetup } from './setup.ts'

/**
 * Opens the standing measures of the configuration for one piece of work and closes them after it, so that what the
 * work changed is stored.
 * @throws ConfigError for a bad configuration; StoreError when they cannot be read
 */
export async function withRemediations<T>(
  options: CommandOptions,
  context: CommandContext,
  work: (store: RemediationStore) => Promise<T>,
): Promise<T> {
  const { config, dataDirectory } = await loadSetup(options, context)
  const connections = new Connections(config, dataDirectory)
  try {
    const store = await openRemediations({ config, connections })
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  } finally {
    await connections.close()
  }
}
