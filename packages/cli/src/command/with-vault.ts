import { ConfigError } from '@postern/core'
import { type OpenedVault, type OpenVaultOptions, openVault, type TableSchemas } from '@postern/vault'
import type { CommandContext, CommandOptions } from './command.ts'
import { vaultPath } from './vault-path.ts'

/** Opens the vault for the length of some work. */
export async function withVault<T>(
  options: CommandOptions,
  context: CommandContext,
  work: (opened: OpenedVault) => Promise<T>,
  more: Omit<OpenVaultOptions, 'environment'> = {},
): Promise<T> {
  const opened = await openVault(vaultPath(options, context), { environment: context.environment, ...more })
  try {
    return await work(opened)
  } finally {
    opened.close()
  }
}

/** Every column of one table in a state. */
export function inState(table: string, state: 'plaintext' | 'dual'): (tables: TableSchemas) => TableSchemas {
  return tables => {
    const schema = tables[table]
    if (schema === undefined)
      throw new ConfigError({
        place: `tables.${table}`,
        problem: 'is not declared',
        hint: 'declare the table in vault.json; `postern vault status` lists those that are',
      })
    const columns = Object.fromEntries(
      Object.entries(schema.columns).map(([name, column]) => [name, { ...column, state }]),
    )
    return { ...tables, [table]: { ...schema, columns } }
  }
}
