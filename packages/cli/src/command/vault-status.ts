import { vaultStatus } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { vaultPath } from './vault-path.ts'

/** `postern vault status`. Says no when fewer than three holders answer. */
export const run: Command = async (_args, options, context) => {
  const status = await vaultStatus(vaultPath(options, context), context.environment)
  for (const { column, mode, state, epoch } of status.columns)
    context.output.line(`${column}  ${mode}  ${state}  epoch ${epoch}`)
  for (const { id, isUp } of status.holders) context.output.line(`holder ${id}  ${isUp ? 'up' : 'down'}`)
  context.output.result(status)
  return status.holders.every(({ isUp }) => isUp) ? EXIT.done : EXIT.no
}
