import { resolve } from 'node:path'
import { ConfigError } from '@postern/core'
import { type OpenedVault, type OpenVaultOptions, openVault, type TableSchemas } from '@postern/vault'
import { type CommandContext, type CommandOptions, textOption } from './command.ts'

/** The vault file that was named. */
export function vaultPath(options: CommandOptions, { folder }: CommandContext): string {
  return resolve(folder, textOption(options, 'vault') ?? 'vault.json')
}

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
    if (schema === undefined) throw new ConfigError({ place: `tables.${table}`, problem: 'is not declared' })
    const columns = Object.fromEntries(
      Object.entries(schema.columns).map(([name, column]) => [name, { ...column, state }]),
    )
    return { ...tables, [table]: { ...schema, columns } }
  }
}
