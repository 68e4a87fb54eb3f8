import { readVaultFile } from '@postern/vault/setup'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/**
 * `postern vault canary TABLE COLUMN KEY...`: what each holder's operator runs. The application need not
 * know.
 */
export const run: Command = async ([table = '', column = '', ...row], options, context) => {
  readVaultFile(vaultPath(options, context), context.environment)
  const place = { tenant: textOption(options, 'tenant') ?? '', table, column, row, version: 0 }
  context.output.line('on each holder, with its own configuration:')
  context.output.line(`postern holder ask holder.json canary '${JSON.stringify(place)}'`)
  context.output.result(place)
  return EXIT.done
}
