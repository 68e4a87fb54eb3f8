import type { Entry } from '@postern/audit'
import { ConfigError, type Event, isRequestId, type Reason } from '@postern/core'
import { type AuditPlace, openAuditSource } from '@postern/runtime'
import { collect } from './collect.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { type Output, safe } from './output.ts'
import { loadSetup } from './setup.ts'

/** A new entry is published within a second. */
const WAIT_MS = 2_500
const POLL_MS = 150

/** `postern explain`: every recorded word about one request. Works while the gateway runs. Exit 1 when nothing was recorded. */
export const run: Command = async ([id = ''], options, context) => {
  const { output } = context
  if (!isRequestId(id))
    throw new ConfigError({
      place: 'request id',
      problem: `"${id.slice(0, 40)}" is not one`,
      mend: 'it has 20 letters and digits; a refused caller sees it, and answers carry it as X-Request-Id',
    })
  const entries = await findEntries(await loadSetup(options, context), id, context.signal)
  if (entries.length === 0) {
    output.line(`nothing was recorded about ${id}`)
    output.line(
      'Allowed reads are not recorded unless a route says record: "after"; of a flood of equal refusals only some are.',
    )
  }
  for (const entry of entries) explainEvent(output, entry.event, entry.index)
  output.result({ id, entries: entries.map(({ index, event, leafHash }) => ({ index, leafHash, event })) })
  return entries.length === 0 ? EXIT.no : EXIT.done
}

/** Looks again for a moment: the newest entries may not be published yet. */
async function findEntries(place: AuditPlace, id: string, signal: AbortSignal): Promise<readonly Entry[]> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const log = await openAuditSource(place)
    try {
      const entries = await collect(log.query({ request: id, order: 'oldest', limit: 20 }))
      if (entries.length > 0 || performance.now() > deadline || signal.aborted) return entries
    } finally {
      await log.close()
    }
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
}

function explainEvent(output: Output, event: Event, index: bigint): void {
  const { request, actor, decision, observed, guard, outcome, reasons } = event
  const query = request?.query ? `?${request.query}` : ''
  output.line(
    output.paint('bold', `${request?.method ?? event.type} ${safe(`${request?.path ?? ''}${query}`)}`),
  )
  output.line(`  when      ${new Date(event.time).toISOString()}`)
  output.line(
    `  who       ${safe(actor.principal ?? actor.address ?? 'unknown')}${actor.agent === undefined ? '' : ` (${safe(actor.agent)})`}`,
  )
  if (request?.route !== undefined) output.line(`  route     ${safe(request.route)}`)
  output.line(
    `  decision  ${verdict(output, decision, observed)}${guard === undefined ? '' : ` by ${guard}`}`,
  )
  if (outcome !== undefined)
    output.line(`  answer    ${outcome.status} after ${outcome.duration.toFixed(1)} ms`)
  for (const reason of reasons ?? []) explainReason(output, reason)
  output.line(output.paint('dim', `  entry     ${index} of the audit log (postern audit proof ${index})`))
}

function verdict(output: Output, decision: string | undefined, observed: string | undefined): string {
  if (observed !== undefined)
    return output.paint('yellow', `${decision ?? 'allow'}; would ${observed} if it were enforced`)
  if (decision === undefined) return 'none'
  return output.paint(decision === 'allow' ? 'green' : 'red', decision)
}

function explainReason(output: Output, { rule, message, evidence, exception }: Reason): void {
  output.line(`  rule      ${output.paint('cyan', rule)}: ${safe(message)}`)
  if (evidence !== undefined) {
    output.line(`  where     ${safe(evidence.location)}`)
    if (evidence.span !== undefined) output.line(`  matched   ${output.paint('yellow', safe(evidence.span))}`)
    for (const [name, value] of Object.entries(evidence.facts ?? {}))
      output.line(`  ${name.padEnd(9)} ${safe(String(value))}`)
  }
  if (exception !== undefined) output.line(`  to let it pass, and nothing else:  ${safe(exception)}`)
}
