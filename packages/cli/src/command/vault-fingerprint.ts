import { ConfigError } from '@postern/core'
import { readIdentity, readVaultFile } from '@postern/vault/setup'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/** `postern vault fingerprint`: what holders pin. */
export const run: Command = async (_args, options, context) => {
  const path = vaultPath(options, context)
  const { identity } = readVaultFile(path, context.environment)
  if (identity === undefined)
    throw new ConfigError({
      place: `${path}: identity`,
      problem: 'is missing',
      hint: 'name the file of the key that `postern vault init` makes',
    })
  const { fingerprint } = readIdentity(identity)
  context.output.line(fingerprint)
  context.output.result({ fingerprint })
  return EXIT.done
}
