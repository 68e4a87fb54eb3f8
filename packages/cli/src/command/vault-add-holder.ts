import type { Command } from './command.ts'
import { hostAndPort, setJsonEntry } from './edit-json.ts'
import { EXIT } from './exit-code.ts'
import { givenFingerprint } from './given-fingerprint.ts'
import { vaultPath } from './vault-path.ts'

/** `postern vault add-holder NUMBER HOST:PORT FINGERPRINT`. */
export const run: Command = async ([number = '', address = '', given], options, context) => {
  const place = hostAndPort(address)
  const fingerprint = givenFingerprint(given, options)
  setJsonEntry(vaultPath(options, context), 'holders', number, { ...place, fingerprint })
  return EXIT.done
}
