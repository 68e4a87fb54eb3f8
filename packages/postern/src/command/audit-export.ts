import { type Entry, exportTenant, toCef, toNdjson, toOcsf } from '@postern/audit'
import { ConfigError } from '@postern/core'
import { readAudit } from '../assembly/audit.ts'
import { auditFilter } from './audit-filter.ts'
import { type Command, type CommandOptions, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

type Format = (entry: Entry) => string

const FORMATS: Readonly<Record<string, Format>> = {
  ndjson: entry => toNdjson(entry).trimEnd(),
  ocsf: entry => JSON.stringify(toOcsf(entry)),
  cef: toCef,
}

/**
 * `postern audit export`: entries that match, oldest first, one a line. `--complete --tenant T` instead gives everything of a tenant with
 * proofs, so that whoever reads it can see that nothing is missing.
 */
export const run: Command = async (_args, options, context) => {
  const { output, signal } = context
  const { dataDirectory } = await loadSetup(options, context)
  const reader = readAudit(dataDirectory)
  let written = 0
  try {
    for await (const line of lines(reader, options)) {
      await output.data(line)
      written++
      if (signal.aborted) return EXIT.interrupted
    }
  } finally {
    reader.close()
  }
  output.note(`${written} lines`)
  return EXIT.done
}

async function* lines(reader: ReturnType<typeof readAudit>, options: CommandOptions): AsyncGenerator<string> {
  if (options['complete'] === true) {
    for await (const line of exportTenant(reader, textOption(options, 'tenant') ?? '')) yield line.trimEnd()
    return
  }
  const name = textOption(options, 'format') ?? 'ndjson'
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  if (format === undefined)
    throw new ConfigError({
      place: '--format',
      problem: `"${name.slice(0, 20)}" is not a format`,
      mend: Object.keys(FORMATS).join(', '),
    })
  for await (const entry of reader.query({ order: 'oldest', ...auditFilter(options, Date.now()) }))
    yield format(entry)
}
