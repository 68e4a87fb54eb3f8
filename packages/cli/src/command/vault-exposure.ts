import { resolve } from 'node:path'
import { measureExposure, stolenValues } from '@postern/vault/exposure'
import { openVaultDatabase } from '@postern/vault/setup'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withVault } from './with-vault.ts'

/**
 * `postern vault exposure FOLDER...`: the folders and the environment are the thief's. Says no when anything
 * opened.
 */
export const run: Command = async (args, options, context) =>
  withVault(options, context, async ({ file, vault, links }) => {
    const database = await openVaultDatabase(file)
    try {
      const values = []
      for (const name of Object.keys(file.tables))
        values.push(...(await stolenValues(database.client, vault.table(name))))
      const environment = Object.fromEntries(
        Object.entries(context.environment).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value]],
        ),
      )
      const folders = args.map(folder => resolve(context.folder, folder))
      const holders = options['inReach'] === true ? links : []
      const service = textOption(options, 'service') ?? 'app'
      const { signal } = context
      const loot = { values, folders, environment, holders, service, signal }
      const exposure = await measureExposure(loot).catch((error: unknown) => {
        if (signal.aborted) return undefined
        throw error
      })
      if (exposure === undefined) return EXIT.interrupted
      context.output.line(`${exposure.opened} of ${exposure.total} values opened`)
      for (const [way, count] of Object.entries(exposure.ways)) context.output.line(`  ${way}: ${count}`)
      context.output.result(exposure)
      return exposure.opened === 0 ? EXIT.done : EXIT.no
    } finally {
      await database.close()
    }
  })
