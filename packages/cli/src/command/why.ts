import type { Entry } from '@postern/audit'
import type { Actor, Remediation } from '@postern/core'
import { formatActor, parseActor } from '@postern/remediate'
import { type AuditPlace, hasAudit } from '@postern/runtime'
import { collect } from './collect.ts'
import type { Command } from './command.ts'
import { decisionLine } from './decision-line.ts'
import { EXIT } from './exit-code.ts'
import { openWithWaiting } from './open-with-waiting.ts'
import { type Output, safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { withRemediations } from './with-remediations.ts'

const LATEST = 10

/**
 * `postern why`: the active remediations of an actor and the latest recorded requests. Exit 1 when
 * nothing stands.
 */
export const run: Command = async ([text = ''], options, context) => {
  const { output } = context
  const actor = parseActor(text)
  const setup = await loadSetup(options, context)
  const standing = await withRemediations(options, context, async store =>
    store.why({ [actor.kind]: actor.value }),
  )
  const entries = await latest(setup, actor, output)
  if (standing.length === 0) output.line(`no remediations apply to ${formatActor(actor)}`)
  for (const remediation of standing) output.line(sentence(remediation))
  if (entries.length > 0) output.line('latest recorded:')
  // A limit also tells of its refusals by themselves; the refused requests are here already.
  for (const { event } of entries.filter(({ event }) => event.type !== 'limit.refused'))
    output.line(`  ${decisionLine(event, output)}`)
  output.result({
    actor,
    remediations: standing,
    entries: entries.map(({ index, event }) => ({ index, event })),
  })
  return standing.length === 0 ? EXIT.no : EXIT.done
}

function sentence({ actor, measure, reason, origin, expiresAt }: Remediation): string {
  return `${formatActor(actor)}: ${measure} until ${new Date(expiresAt).toISOString()} by ${safe(origin)}: ${safe(reason)}`
}

async function latest(place: AuditPlace, actor: Actor, output: Output): Promise<readonly Entry[]> {
  const query =
    actor.kind === 'address'
      ? { address: actor.value }
      : actor.kind === 'principal'
        ? { principal: actor.value }
        : undefined
  if (query === undefined || !hasAudit(place)) return []
  const log = await openWithWaiting(place, output)
  try {
    return await collect(log.query({ ...query, limit: LATEST }))
  } finally {
    await log.close()
  }
}
