import { type BouncerKeys, bouncerKeys } from '@postern/remediate'
import { Connections } from '@postern/runtime'
import type { CommandContext, CommandOptions } from './command.ts'
import { loadSetup } from './setup.ts'

/**
 * Opens the keys of bouncers for one piece of work.
 * @param expected whether the data directory is there already; a key may be made before the first start
 * @throws ConfigError, StoreError
 */
export async function withBouncerKeys<T>(
  options: CommandOptions,
  context: CommandContext,
  expected: 'existing' | 'made',
  work: (keys: BouncerKeys) => Promise<T>,
): Promise<T> {
  const { config, dataDirectory } = await loadSetup(options, context)
  const connections = new Connections(config, dataDirectory, expected)
  try {
    return await work(await bouncerKeys(connections.postgres ?? connections.sqlite))
  } finally {
    await connections.close()
  }
}
