import { readVaultFile, rotateLocalKeys } from '@postern/vault/setup'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/** `postern vault rotate`: the key file is replaced at once or not at all. */
export const run: Command = async (_args, options, context) => {
  const epoch = await rotateLocalKeys(readVaultFile(vaultPath(options, context), context.environment))
  context.output.line(
    `epoch ${epoch} seals from now on, once every process has the new file; then: postern vault rewrap TABLE`,
  )
  context.output.result({ epoch })
  return EXIT.done
}
