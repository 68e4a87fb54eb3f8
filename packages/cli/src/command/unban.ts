import { formatActor, parseActor } from '@postern/remediate'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withRemediations } from './with-remediations.ts'

/** `postern unban`: ends all remediations of exactly this actor. Exit 1 when there was none. */
export const run: Command = async ([text = ''], options, context) => {
  const actor = parseActor(text)
  const name = formatActor(actor)
  const act = { action: 'unban', resource: { type: 'actor' }, data: { actor: name } }
  const lifted = await withRemediations(options, context, store => store.remove(actor), act)
  if (lifted.length === 0) context.output.line(`no remediations apply to ${safe(name)}`)
  else
    context.output.line(
      `${safe(name)}: ${lifted.length === 1 ? '1 remediation' : `${lifted.length} remediations`} ended`,
    )
  context.output.result({ actor, lifted })
  return lifted.length === 0 ? EXIT.no : EXIT.done
}
