import type { Json } from '@postern/core'
import { LearnedSchemas } from '@postern/protocol'
import { Connections } from '@postern/runtime'
import { askGateway, readRunFile } from '@postern/server'
import type { Setup } from './setup.ts'

/**
 * Asks what was learned: the running gateway, which has the newest; the data directory where none runs.
 * @param work on the data directory
 * @throws StoreError when neither can be read
 */
export async function withLearnedSchemas(
  { config, dataDirectory }: Setup,
  command: string,
  input: Readonly<Record<string, Json>>,
  work: (learned: LearnedSchemas) => Json,
): Promise<Json> {
  if (readRunFile(dataDirectory) !== undefined) return askGateway(dataDirectory, command, input)
  const connections = new Connections(config, dataDirectory)
  try {
    return work(new LearnedSchemas({ database: () => connections.sqlite }))
  } finally {
    await connections.close()
  }
}
