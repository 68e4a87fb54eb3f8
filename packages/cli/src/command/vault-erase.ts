import { ConfigError } from '@postern/core'
import { VaultSql } from '@postern/vault'
import { openVaultDatabase } from '@postern/vault/setup'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withVault } from './with-vault.ts'

/** `postern vault erase SUBJECT --yes`. Without a database in vault.json only the salt is destroyed. */
export const run: Command = async ([subject = ''], options, context) => {
  if (options['yes'] !== true)
    throw new ConfigError({ place: 'vault erase', problem: 'cannot be undone', hint: 'add --yes' })
  return withVault(options, context, async ({ file, vault }) => {
    const database = file.database === undefined ? undefined : await openVaultDatabase(file)
    try {
      const wasThere =
        database === undefined
          ? await vault.erase(subject)
          : await new VaultSql(database.client, vault).erase(subject)
      context.output.line(wasThere ? 'erased: no record of this subject opens any more' : 'nothing to erase')
      context.output.result({ erased: wasThere })
      return wasThere ? EXIT.done : EXIT.no
    } finally {
      await database?.close()
    }
  })
}
