import { dirname, resolve } from 'node:path'
import { ConfigError } from '@postern/core'
import { HolderStore, readHolderConfig } from '@postern/vault/holder'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'

/** `postern holder fingerprint CONFIG`: what services and the other holders pin. */
export const run: Command = async ([path = ''], _options, context) => {
  const file = resolve(context.folder, path)
  const config = readHolderConfig(file)
  const store = HolderStore.open(resolve(dirname(file), config.data))
  const known = store.setting('tls.fingerprint')
  store.close()
  if (known === undefined)
    throw new ConfigError({ place: file, problem: 'has no identity yet', hint: 'start the holder once' })
  const fingerprint = Buffer.from(known).toString()
  context.output.line(fingerprint)
  context.output.result({ fingerprint })
  return EXIT.done
}
