import { renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from '@postern/core'
import { syncDirectory } from '@postern/store'
import { LocalKeys } from '@postern/vault'
import { readVaultFile } from '@postern/vault/setup'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/**
 * Makes the file that the new keys go into, or fails: of two rotations at the same time one would lose the
 * key that the other has given to processes already, and a file that somebody else put there others may read.
 */
function claim(path: string): void {
  try {
    writeFileSync(path, '', { mode: 0o600, flag: 'wx' })
  } catch {
    throw new ConfigError({
      place: path,
      problem: 'already exists, or its folder cannot be written to',
      hint: 'remove it if no other rotation is running',
    })
  }
}

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
  const next = `${keys}.new`
  claim(next)
  const rotated = LocalKeys.read(keys).rotated()
  writeFileSync(next, rotated.format(), { flush: true })
  renameSync(next, keys)
  // Processes seal with the new key as soon as they are given it: it must not be gone after a power failure.
  syncDirectory(dirname(keys))
  context.output.line(
    `epoch ${rotated.current} seals from now on, once every process has the new file; then: postern vault rewrap TABLE`,
  )
  context.output.result({ epoch: rotated.current })
  return EXIT.done
}
