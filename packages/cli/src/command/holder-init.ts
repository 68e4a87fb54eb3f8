import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError, systemClock, systemRandom } from '@postern/core'
import { createSecretFile } from '@postern/store'
import { HolderStore, holderIdentity, unlockFrom, unlockKey } from '@postern/vault/holder'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { unlockOptions } from './unlock-options.ts'
import { wholeOption } from './whole-option.ts'

/** `postern holder init FOLDER NUMBER`: configuration, key file and an empty store, never written over. */
export const run: Command = async ([folder = '', number = ''], options, context) => {
  const id = ([1, 2, 3] as const).find(known => `${known}` === number)
  if (id === undefined)
    throw new ConfigError({ place: 'holder init', problem: 'a holder is number 1, 2 or 3' })
  const home = resolve(context.folder, folder)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const chosen = unlockOptions(options)
  const isPassphrase = context.environment['POSTERN_HOLDER_PASSPHRASE'] !== undefined
  const makesKey = Object.keys(chosen).length === 0 && !isPassphrase
  const keyFile = join(home, 'holder.key')
  const port = wholeOption(options, 'port', 9_470, { least: 1, most: 65_535 })
  // Before anything is made: a key service without credentials leaves no half of a holder.
  const unlock = unlockFrom(makesKey ? { keyFile } : chosen, context.environment, context.folder)
  const key = Buffer.from(systemRandom.bytes(32)).toString('base64url')
  if (makesKey && !createSecretFile(keyFile, `${key}\n`))
    throw new ConfigError({
      place: keyFile,
      problem: 'already exists',
      hint: 'give another folder: a key file is never overwritten',
    })
  const store = HolderStore.open(join(home, 'holder.db'))
  const kek = await unlockKey(store, unlock, systemRandom)
  store.setSettings({ id: Uint8Array.of(id) })
  const { fingerprint } = holderIdentity(store, id, kek, { clock: systemClock, random: systemRandom })
  store.close()
  const config = {
    id,
    data: 'holder.db',
    operator: 'operator.sock',
    tls: { host: '127.0.0.1', port },
    peers: {},
    services: {},
    budgets: { person: 500, service: 200 },
    // Whoever stays below those would open, search and guess 24 times as much in a day.
    daily: { person: 2_000, service: 1_000, served: 100_000, searches: 5_000, guesses: 100 },
  }
  writeFileSync(join(home, 'holder.json'), `${JSON.stringify(config, undefined, 2)}\n`, { flag: 'wx' })
  context.output.line(
    `wrote ${join(home, 'holder.json')}: name the other two holders (peers) and the applications (services) in it`,
  )
  context.output.line(`fingerprint of holder ${id}: ${fingerprint}`)
  if (makesKey)
    context.output.line('keep holder.key on another disk than holder.db, or use a passphrase or a KMS')
  context.output.result({ id, fingerprint })
  return EXIT.done
}
