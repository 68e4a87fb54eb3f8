import { createCipheriv, randomBytes } from 'node:crypto'
import { ConfigError } from '@postern/core'
import { LocalKeys, type OpenedVault, open, seal } from '@postern/vault'
import { type Command, type CommandContext, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withVault } from './with-vault.ts'

const PAGE = 50
const VALUE_BYTES = 1_024
const OPERATIONS = 5_000

/**
 * `postern vault bench`: sealing and opening on this machine, and what holders add to a page of 50 records.
 * Nothing is written to the database.
 */
export const run: Command = (_args, options, context) =>
  withVault(options, context, async opened => {
    const local = localFigures()
    const { output } = context
    output.line(`seal ${VALUE_BYTES} bytes: ${local.sealed} a second, AES-256-GCM alone ${local.raw}`)
    output.line(`open ${VALUE_BYTES} bytes: ${local.opened} a second`)
    const column = textOption(options, 'column')
    const pages =
      column === undefined ? undefined : await pageFigures(opened, column, options['pages'], context)
    output.result({ ...local, ...(pages !== undefined && { pages }) })
    return EXIT.done
  })

/** Values a second with a key of their own each, beside the bare cipher under fresh keys. */
function localFigures(): { readonly sealed: number; readonly opened: number; readonly raw: number } {
  const keys = LocalKeys.generate()
  const value = randomBytes(VALUE_BYTES)
  const place = { tenant: '', table: 't', column: 'c', row: ['1'], version: 0 }
  const stored = seal(keys, place, value)
  return {
    sealed: perSecond(() => seal(keys, place, value)),
    opened: perSecond(() => open(keys, place, stored)),
    raw: perSecond(() => {
      const cipher = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12))
      cipher.update(value)
      cipher.final()
      cipher.getAuthTag()
    }),
  }
}

function perSecond(work: () => unknown): number {
  for (let i = 0; i < OPERATIONS / 5; i++) work()
  const started = performance.now()
  for (let i = 0; i < OPERATIONS; i++) work()
  return Math.round(OPERATIONS / ((performance.now() - started) / 1_000))
}

/** Milliseconds a page takes through the holders. One page is sealed and opened again and again. */
async function pageFigures(
  { vault }: OpenedVault,
  name: string,
  count: unknown,
  { output }: CommandContext,
): Promise<{ readonly p50: number; readonly p99: number }> {
  const [tableName = '', columnName = ''] = name.split('.')
  const column = vault.column(tableName, columnName)
  const table = vault.table(tableName)
  const pages = Number(count)
  if (column.mode !== 'split')
    throw new ConfigError({ place: name, problem: `is of mode ${column.mode}`, hint: 'name a split column' })
  if (!Number.isInteger(pages) || pages < 10 || pages > 10_000)
    throw new ConfigError({ place: '--pages', problem: 'must be a number from 10 to 10000' })
  const beside = [table.tenant, table.version, table.subject].filter(other => other !== undefined)
  const rows = Array.from({ length: PAGE }, (_, i) => ({
    ...Object.fromEntries(beside.map(other => [other, 0])),
    ...Object.fromEntries(table.key.map(key => [key, `postern-bench-${i}`])),
    [columnName]: sample(column.type),
  }))
  const stored = await vault.sealRows(tableName, rows)
  const times: number[] = []
  for (let i = 0; i < pages; i++) {
    const started = performance.now()
    await vault.openRows(tableName, stored)
    times.push(performance.now() - started)
  }
  times.sort((x, y) => x - y)
  const at = (share: number): number => Number((times[Math.floor(share * times.length)] ?? 0).toFixed(2))
  const figures = { p50: at(0.5), p99: at(0.99) }
  output.line(
    `${PAGE} records through the holders: ${figures.p50} ms, one page in 100 longer than ${figures.p99} ms`,
  )
  output.line(`${PAGE} units of this application's budget were used, for the window`)
  return figures
}

function sample(type: string): unknown {
  switch (type) {
    case 'number':
      return 1
    case 'bigint':
      return 1n
    case 'boolean':
      return true
    case 'date':
      return new Date(0)
    case 'bytes':
      return Buffer.from('a value')
    default:
      return 'a value'
  }
}
