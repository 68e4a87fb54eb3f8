import { resolve } from 'node:path'
import { type Command, listOption } from './command.ts'
import { setJsonEntry } from './edit-json.ts'
import { EXIT } from './exit-code.ts'
import { givenFingerprint } from './given-fingerprint.ts'

/** `postern holder add-service CONFIG NAME FINGERPRINT`; for a restart of the holder. */
export const run: Command = async ([config = '', name = '', given], options, context) => {
  const fingerprint = givenFingerprint(given, options)
  const rights = Object.fromEntries(
    ['seal', 'open', 'search'].map(right => [right, listOption(options, right)]),
  )
  setJsonEntry(resolve(context.folder, config), 'services', name, {
    fingerprint,
    ...rights,
    harden: options['harden'] === true,
  })
  return EXIT.done
}
