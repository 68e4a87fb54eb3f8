import type { Json } from '@postern/core'
import { systemClock } from '@postern/core'
import { LearnedSchemas } from '@postern/protocol'
import { accountName, Connections, type OperatorAct, recordOperator } from '@postern/runtime'
import { askGateway, readRunFile } from '@postern/server'
import type { Setup } from './setup.ts'

/** One question about what was learned. */
export interface LearnedQuestion {
  /** Command of a running gateway. */
  readonly command: string
  /** What the command takes. Default: nothing. */
  readonly input?: Readonly<Record<string, Json>>
  /** The same on the data directory. */
  readonly work: (learned: LearnedSchemas) => Json
  /** What it changes, for the log; absent when it only reads. */
  readonly act?: OperatorAct
}

/**
 * Asks what was learned: the running gateway, which has the newest; the data directory where none runs.
 * @throws StoreError when neither can be read
 */
export async function withLearnedSchemas(
  setup: Setup,
  { command, input = {}, work, act }: LearnedQuestion,
): Promise<Json> {
  const { config, dataDirectory } = setup
  if (readRunFile(dataDirectory) !== undefined)
    return askGateway(
      dataDirectory,
      command,
      act === undefined ? input : { ...input, operator: accountName() },
    )
  const connections = new Connections(config, dataDirectory, 'existing')
  try {
    // Opened before the act is recorded: recording makes the data directory, and a mistyped one must be said.
    const database = connections.sqlite
    const done = (): Json => work(new LearnedSchemas({ database: () => database }))
    return act === undefined ? done() : await recordOperator(setup, act, systemClock, async () => done())
  } finally {
    await connections.close()
  }
}
