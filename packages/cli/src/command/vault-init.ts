import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError, systemRandom } from '@postern/core'
import { createSecretFile } from '@postern/store'
import { LocalKeys } from '@postern/vault'
import { identitySeed, readIdentity } from '@postern/vault/setup'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/** `postern vault init`: files that are never written over. */
export const run: Command = async (_args, options, context) => {
  const path = vaultPath(options, context)
  if (existsSync(path))
    throw new ConfigError({
      place: path,
      problem: 'already exists',
      hint: 'name another file with `--vault`: keys are never overwritten',
    })
  const folder = dirname(path)
  const secret = (name: string, bytes: Uint8Array): string => {
    const file = join(folder, name)
    if (!createSecretFile(file, `${Buffer.from(bytes).toString('base64url')}\n`))
      throw new ConfigError({
        place: file,
        problem: 'already exists',
        hint: 'move it away, or start in another folder: keys are never overwritten',
      })
    return file
  }
  LocalKeys.create(join(folder, 'vault.keys'))
  secret('vault.search', systemRandom.bytes(32))
  const { fingerprint } = readIdentity(secret('vault.identity', identitySeed(systemRandom)))
  const vault = {
    tables: { customers: { key: ['id'], columns: { email: { mode: 'local', state: 'dual' } } } },
    keys: 'vault.keys',
    searchKey: 'vault.search',
    identity: 'vault.identity',
    database: '${DATABASE_URL}',
  }
  writeFileSync(path, `${JSON.stringify(vault, undefined, 2)}\n`, { flag: 'wx' })
  context.output.line(`wrote ${path}: name your tables in it`)
  context.output.line(`fingerprint of this application, for the holders: ${fingerprint}`)
  context.output.line('back up vault.keys and vault.search; without them nothing opens')
  context.output.result({ path, fingerprint })
  return EXIT.done
}
