import { ConfigError } from '@postern/core'
import { RowWriter } from '../migrate/write-rows.ts'
import { keyText } from '../table/row-context.ts'
import { compileTables } from '../table/table-schema.ts'
import type { openVaultDatabase } from './open-vault.ts'
import type { VaultFile } from './vault-file.ts'

/**
 * The key of a row as its table stores it: an operator may write a UUID in capitals, or a number with zeros,
 * and holders know a record by the very text.
 * @param place.tenant empty in a table without tenants
 * @throws ConfigError when there is no such row; StoreError
 */
export async function storedKey(
  { tables }: VaultFile,
  { client, dialect }: Awaited<ReturnType<typeof openVaultDatabase>>,
  place: { readonly tenant: string; readonly table: string; readonly row: readonly string[] },
): Promise<readonly string[]> {
  const table = compileTables(tables).get(place.table)
  if (table === undefined)
    throw new ConfigError({
      place: `vault.tables.${place.table}`,
      problem: 'is not declared',
      hint: 'declare the table in `tables` of vault.json',
    })
  const { tenant, key } = table
  const writer = await RowWriter.of(client, table, dialect)
  const given = Object.fromEntries(key.map((name, at) => [name, place.row[at]]))
  const columns = [...new Set([...key, ...(tenant === undefined ? [] : [tenant])])]
  const rows = await writer.read([writer.keyValues(given)], columns)
  const row = rows.find(found => tenant === undefined || keyText(table, tenant, found) === place.tenant)
  if (row === undefined)
    throw new ConfigError({
      place: place.table,
      problem:
        rows.length === 0
          ? `has no row ${JSON.stringify(place.row)}`
          : `has the row ${JSON.stringify(place.row)} in another tenant`,
      hint: 'write the row first, through the vault',
    })
  return key.map(name => keyText(table, name, row))
}
