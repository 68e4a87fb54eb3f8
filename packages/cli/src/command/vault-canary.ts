import { ConfigError, shellWord } from '@postern/core'
import { openVaultDatabase, readVaultFile, storedKey, type VaultFile } from '@postern/vault/setup'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/**
 * `postern vault canary TABLE COLUMN KEY...`: what each holder's operator runs. The application need not
 * know.
 */
export const run: Command = async ([table = '', column = '', ...row], options, context) => {
  const file = readVaultFile(vaultPath(options, context), context.environment)
  const { tables } = file
  // A place that is not there is never opened: the canary would watch over nothing.
  const schema = Object.hasOwn(tables, table) ? tables[table] : undefined
  const mode =
    schema !== undefined && Object.hasOwn(schema.columns, column) ? schema.columns[column]?.mode : undefined
  if (schema === undefined || mode === undefined)
    throw new ConfigError({
      place: `vault.tables.${table}.columns.${column}`,
      problem: 'is not declared',
      hint: '`postern vault status` lists tables and columns',
    })
  if (mode !== 'split')
    throw new ConfigError({
      place: `${table}.${column}`,
      problem: `is of mode ${mode}, and holders are asked only for columns of mode split`,
      hint: 'choose a column of mode split: `postern vault status` lists them',
    })
  if (row.length !== schema.key.length)
    throw new ConfigError({
      place: `${table}.${column}`,
      problem: `the key of ${table} has ${schema.key.length} values, and ${row.length} were given`,
      hint: `one value each of ${schema.key.join(', ')}`,
    })
  if ((schema.tenant !== undefined) !== (options['tenant'] !== undefined))
    throw new ConfigError({
      place: `${table}.${column}`,
      problem: schema.tenant === undefined ? 'is of a table without tenants' : 'is of a table with tenants',
      hint: schema.tenant === undefined ? 'leave out --tenant' : 'name the tenant of the row: --tenant',
    })
  const named = { tenant: textOption(options, 'tenant') ?? '', table, row }
  const place = { tenant: named.tenant, table, column, row: await keyOf(file, named), version: 0 }
  context.output.line('on each holder, with its own configuration:')
  context.output.line(`postern holder ask holder.json canary ${shellWord(JSON.stringify(place))}`)
  context.output.result(place)
  return EXIT.done
}

/** The key as the database stores it; as it was given where `vault.json` names no database. */
async function keyOf(file: VaultFile, place: Parameters<typeof storedKey>[2]): Promise<readonly string[]> {
  if (file.database === undefined) return place.row
  const database = await openVaultDatabase(file)
  try {
    return await storedKey(file, database, place)
  } finally {
    await database.close()
  }
}
