import type { Entry } from '@postern/audit'
import { describeException, writeException } from '@postern/config'
import { type ConfigException, type Event, type Reason, systemClock, timeText } from '@postern/core'
import { type AuditPlace, openAuditSource, recordOperator } from '@postern/runtime'
import { asStarter } from './act-as-owner.ts'
import { collect } from './collect.ts'
import type { Command, CommandContext } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { openWithWaiting } from './open-with-waiting.ts'
import { type Output, safe } from './output.ts'
import { requestIdIn } from './request-id-in.ts'
import { loadSetup, type Setup } from './setup.ts'

/** A new entry is published within a second. */
const WAIT_MS = 2_500
const POLL_MS = 150

/**
 * `postern explain`: every recorded word about one request, and the change that would let it pass; `--apply`
 * writes that into the configuration. Works while the gateway runs. Exit 1 when nothing was recorded, or
 * nothing can be applied.
 */
export const run: Command = async (words, options, context) => {
  const { output } = context
  const id = requestIdIn(words.join(' '))
  const setup = await loadSetup(options, context)
  const entries = await findEntries(setup, id, context)
  if (entries.length === 0) {
    output.line(`nothing was recorded about ${id}`)
    output.line(
      'Allowed reads are not recorded unless a route says record: "after"; of a flood of equal refusals only some are.',
    )
  }
  for (const group of saidOnce(entries)) explainEntries(output, group, setup)
  output.result({ id, entries: entries.map(({ index, event, leafHash }) => ({ index, leafHash, event })) })
  if (entries.length === 0) return EXIT.no
  return options['apply'] === true ? await apply(entries, setup, context) : EXIT.done
}

async function apply(entries: readonly Entry[], setup: Setup, context: CommandContext): Promise<ExitCode> {
  const { output } = context
  const exceptions = entries.flatMap(({ event }) => exceptionsOf(event))
  const changes = exceptions.flatMap(exception => exception.changes)
  if (changes.length === 0) {
    output.line('nothing in the configuration can let it pass')
    return EXIT.no
  }
  const act = {
    action: 'exception.apply',
    resource: { type: 'configuration' },
    data: { changes: changes.map(change => ({ ...change })) },
  }
  const written = await recordOperator(setup, act, systemClock, () =>
    asStarter(() => writeException(setup, { changes }, context.environment)),
  )
  if (written === undefined) {
    output.line(
      `${setup.file.path ?? 'the configuration'} is a program: write the change above into it yourself`,
    )
    return EXIT.no
  }
  output.line(`written into ${written}`)
  for (const { command } of exceptions) if (command !== undefined) output.line(`now run  ${safe(command)}`)
  return EXIT.done
}

/**
 * What would let the request of an event pass. Logs of earlier versions hold it as text, which cannot be
 * applied.
 */
function exceptionsOf({ reasons }: Event): readonly ConfigException[] {
  return (reasons ?? []).flatMap(({ exception }) => (typeof exception === 'object' ? [exception] : []))
}

/** Looks again for a moment: the newest entries may not be published yet. */
async function findEntries(
  place: AuditPlace,
  id: string,
  { output, signal }: CommandContext,
): Promise<readonly Entry[]> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const isLast = performance.now() > deadline || signal.aborted
    const log = await (isLast ? openWithWaiting(place, output) : openAuditSource(place))
    try {
      const entries = await collect(log.query({ request: id, order: 'oldest', limit: 20 }))
      if (entries.length > 0 || isLast) return entries
    } finally {
      await log.close()
    }
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
}

/** Entries in groups that say the same: that of a limit, and that of the request which it refused. */
function saidOnce(entries: readonly Entry[]): readonly (readonly [Entry, ...Entry[]])[] {
  const groups = new Map<string, [Entry, ...Entry[]]>()
  for (const entry of entries) {
    const { request, decision, observed, guard, reasons } = entry.event
    const said = JSON.stringify([request, decision, observed, guard, reasons])
    const group = reasons === undefined || reasons.length === 0 ? undefined : groups.get(said)
    if (group !== undefined) group.push(entry)
    else groups.set(groups.has(said) ? `${said} ${entry.index}` : said, [entry])
  }
  return [...groups.values()]
}

function explainEntries(output: Output, entries: readonly [Entry, ...Entry[]], setup: Setup): void {
  const { request, actor, decision, observed, guard, reasons, type, time } = entries[0].event
  const outcome = entries.find(({ event }) => event.outcome !== undefined)?.event.outcome
  const query = request?.query ? `?${request.query}` : ''
  output.line(output.paint('bold', `${request?.method ?? type} ${safe(`${request?.path ?? ''}${query}`)}`))
  output.line(`  when      ${timeText(time)}`)
  output.line(
    `  who       ${safe(actor.principal ?? actor.address ?? 'unknown')}${actor.agent === undefined ? '' : ` (${safe(actor.agent)})`}`,
  )
  if (request?.route !== undefined) output.line(`  route     ${safe(request.route)}`)
  output.line(
    `  decision  ${verdict(output, decision, observed)}${guard === undefined ? '' : ` by ${guard}`}`,
  )
  if (outcome !== undefined)
    output.line(`  answer    ${outcome.status} after ${outcome.duration.toFixed(1)} ms`)
  for (const reason of reasons ?? []) explainReason(output, reason, setup)
  const numbers = entries.map(({ index }) => index)
  const place = `${numbers.length > 1 ? 'entries  ' : 'entry    '} ${numbers.join(', ')} of the audit log`
  output.line(output.paint('dim', `  ${place} (postern audit proof ${numbers[0]})`))
}

function verdict(output: Output, decision: string | undefined, observed: string | undefined): string {
  if (observed !== undefined)
    return output.paint('yellow', `${decision ?? 'allow'}; would ${observed} if it were enforced`)
  if (decision === undefined) return 'none'
  return output.paint(decision === 'allow' ? 'green' : 'red', decision)
}

function explainReason(
  output: Output,
  { rule, message, evidence, exception }: Reason,
  { file }: Setup,
): void {
  output.line(`  rule      ${output.paint('cyan', rule)}: ${safe(message)}`)
  if (evidence !== undefined) {
    output.line(`  where     ${safe(evidence.location)}`)
    if (evidence.span !== undefined) output.line(`  matched   ${output.paint('yellow', safe(evidence.span))}`)
    for (const [name, value] of Object.entries(evidence.facts ?? {}))
      output.line(`  ${name.padEnd(9)} ${safe(String(value))}`)
  }
  if (exception === undefined) return
  output.line('  to let it pass, and nothing else:')
  const lines = typeof exception === 'string' ? [exception] : describeException(exception, file)
  for (const line of lines) output.line(`    ${safe(line)}`)
  const covers = typeof exception === 'string' ? [] : (exception.covers ?? [])
  if (covers.length > 0)
    output.line(`  also      lifts ${covers.map(safe).join(', ')}, which would refuse it next`)
}
