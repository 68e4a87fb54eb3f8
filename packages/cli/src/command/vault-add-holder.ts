import type { Command } from './command.ts'
import { hostAndPort, setJsonEntry } from './edit-json.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/** `postern vault add-holder NUMBER HOST:PORT FINGERPRINT`. */
export const run: Command = async ([number = '', address = '', fingerprint = ''], options, context) => {
  setJsonEntry(vaultPath(options, context), 'holders', number, { ...hostAndPort(address), fingerprint })
  return EXIT.done
}
