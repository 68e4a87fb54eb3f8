import { generateNoteKey } from '@postern/audit'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'

/** `postern audit key`: a fresh key for a log in PostgreSQL, shown this once and kept nowhere. */
export const run: Command = async ([name = ''], _options, { output }) => {
  const key = generateNoteKey(name)
  output.line(`secret, for audit.signerKeys:  ${key.signerKey}`)
  output.line(`public, for whoever verifies:  ${key.verifierKey}`)
  output.result(key)
  return EXIT.done
}
