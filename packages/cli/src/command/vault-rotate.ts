import { renameSync, writeFileSync } from 'node:fs'
import { ConfigError } from '@postern/core'
import { LocalKeys } from '@postern/vault'
import { readVaultFile } from '@postern/vault/setup'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/** `postern vault rotate`: the key file is replaced at once or not at all. */
export const run: Command = async (_args, options, context) => {
  const path = vaultPath(options, context)
  const { keys } = readVaultFile(path, context.environment)
  if (keys === undefined)
    throw new ConfigError({
      place: `${path}: keys`,
      problem: 'is missing',
      hint: 'the keys of holders rotate with: postern holder ask CONFIG begin-epoch N',
    })
  const rotated = LocalKeys.read(keys).rotated()
  writeFileSync(`${keys}.new`, rotated.format(), { mode: 0o600, flush: true })
  renameSync(`${keys}.new`, keys)
  context.output.line(
    `epoch ${rotated.current} seals from now on, once every process has the new file; then: postern vault rewrap TABLE`,
  )
  context.output.result({ epoch: rotated.current })
  return EXIT.done
}
