import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { hostAndPort, setJsonEntry } from './edit-json.ts'
import { EXIT } from './exit-code.ts'
import { givenFingerprint } from './given-fingerprint.ts'

/** `postern holder add-peer CONFIG NUMBER HOST:PORT FINGERPRINT`; for a restart of the holder. */
export const run: Command = async ([config = '', number = '', address = '', given], options, context) => {
  const place = hostAndPort(address)
  const fingerprint = givenFingerprint(given, options)
  setJsonEntry(resolve(context.folder, config), 'peers', number, { ...place, fingerprint })
  return EXIT.done
}
