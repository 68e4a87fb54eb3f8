import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { hostAndPort, setJsonEntry } from './edit-json.ts'
import { EXIT } from './exit-code.ts'

/** `postern holder add-peer CONFIG NUMBER HOST:PORT FINGERPRINT`; for a restart of the holder. */
export const run: Command = async (
  [config = '', number = '', address = '', fingerprint = ''],
  _options,
  context,
) => {
  setJsonEntry(resolve(context.folder, config), 'peers', number, { ...hostAndPort(address), fingerprint })
  return EXIT.done
}
