import { isAuditInPostgres, readAudit } from '../assembly/audit.ts'
import { openAuditSource } from '../assembly/audit-source.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup, type Setup } from './setup.ts'

/** `postern audit checkpoint`: the latest signed tree head (C2SP tlog-checkpoint), to be kept somewhere else. */
export const run: Command = async (_args, options, context) => {
  const setup = await loadSetup(options, context)
  const found = isAuditInPostgres(setup) ? await fromDatabase(setup) : await fromDirectory(setup)
  context.output.line(found.checkpoint.trimEnd())
  context.output.result(found)
  return EXIT.done
}

interface Found {
  readonly origin: string
  readonly size: bigint
  readonly checkpoint: string
  /** As the directory names them; PostgreSQL keeps none that would be worth asking. */
  readonly verifierKeys?: readonly string[]
}

async function fromDirectory({ dataDirectory }: Setup): Promise<Found> {
  const reader = readAudit(dataDirectory)
  try {
    const checkpoint = await reader.checkpoint()
    const { origin, size } = await reader.head(checkpoint)
    return { origin, size, checkpoint, verifierKeys: await reader.verifierKeys() }
  } finally {
    reader.close()
  }
}

async function fromDatabase(setup: Setup): Promise<Found> {
  const log = await openAuditSource(setup)
  try {
    const checkpoint = await log.checkpoint()
    const [origin = '', size = '0'] = checkpoint.split('\n')
    return { origin, size: BigInt(size), checkpoint }
  } finally {
    await log.close()
  }
}
