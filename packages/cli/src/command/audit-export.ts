import { type Entry, exportTenant, toCef, toNdjson, toOcsf } from '@postern/audit'
import { ConfigError } from '@postern/core'
import { openAuditSource } from '@postern/runtime'
import { auditFilter, filteredEntries } from './audit-filter.ts'
import { type Command, type CommandOptions, textOption } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup, type Setup } from './setup.ts'

type Format = (entry: Entry) => string

const FORMATS: Readonly<Record<string, Format>> = {
  ndjson: entry => toNdjson(entry).trimEnd(),
  ocsf: entry => JSON.stringify(toOcsf(entry)),
  cef: toCef,
}

/**
 * `postern audit export`: entries that match, oldest first, one a line. `--complete --tenant T` instead gives
 * everything of a tenant with proofs, so that whoever reads it can see that nothing is missing.
 */
export const run: Command = async (_args, options, context) => {
  const { output, signal } = context
  const setup = await loadSetup(options, context)
  let written = 0
  for await (const line of options['complete'] === true ? complete(setup, options) : lines(setup, options)) {
    await output.data(line)
    written++
    if (signal.aborted) return EXIT.interrupted
  }
  output.note(counted(written, 'line'))
  return EXIT.done
}

async function* complete(setup: Setup, options: CommandOptions): AsyncGenerator<string> {
  const log = await openAuditSource(setup)
  try {
    const signers = await log.signers()
    for await (const line of exportTenant(log.reader, textOption(options, 'tenant') ?? '', { signers }))
      yield line.trimEnd()
  } finally {
    await log.close()
  }
}

async function* lines(setup: Setup, options: CommandOptions): AsyncGenerator<string> {
  const name = textOption(options, 'format') ?? 'ndjson'
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  if (format === undefined)
    throw new ConfigError({
      place: '--format',
      problem: `"${name.slice(0, 20)}" is not a format`,
      hint: Object.keys(FORMATS).join(', '),
    })
  const filter = auditFilter(options, Date.now())
  const log = await openAuditSource(setup)
  try {
    const query = { order: 'oldest', ...filter.query } as const
    for await (const entry of filteredEntries(log, { ...filter, query })) yield format(entry)
  } finally {
    await log.close()
  }
}
