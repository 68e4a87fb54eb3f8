import { type Event, timeText } from '@postern/core'
import { eventSentence } from '@postern/runtime'
import { type Output, safe } from './output.ts'

/**
 * One event as a line for somebody who watches.
 * @param kept `not-kept` where no log holds it, and `explain` would find nothing
 */
export function decisionLine(event: Event, output: Output, kept: 'kept' | 'not-kept' = 'kept'): string {
  const time = timeText(event.time).slice(-13, -1)
  if (event.type !== 'http') return `${output.paint('dim', time)} ${otherLine(event, output)}`
  const { request, outcome, decision = 'allow', observed, reasons } = event
  const word = observed === undefined ? decision : `would ${observed}`
  const verdict = output.paint(
    decision === 'allow' && observed === undefined ? 'green' : decision === 'allow' ? 'yellow' : 'red',
    word.padEnd(8),
  )
  const where = `${request?.method ?? ''} ${request?.path ?? ''}${request?.query ? `?${request.query}` : ''}`
  const line = `${output.paint('dim', time)} ${verdict} ${outcome?.status ?? '---'} ${safe(where.slice(0, 160))} ${output.paint('dim', `${(outcome?.duration ?? 0).toFixed(1)} ms`)}`
  const [reason] = reasons ?? []
  if (reason === undefined) return line
  const more = `${kept === 'kept' ? 'postern explain' : 'not logged:'} ${request?.id ?? ''}`
  return `${line}\n             ${output.paint('cyan', reason.rule)} ${safe(reason.evidence?.location ?? '')} ${output.paint('dim', more)}`
}

function otherLine(event: Event, output: Output): string {
  const { data } = event
  if (event.type === 'finding')
    return `${output.paint('yellow', 'found')} ${safe(String(data?.['title'] ?? data?.['scenario']))}: ${safe(String(data?.['actorValue']))}`
  if (event.type.startsWith('remediation.'))
    return `${output.paint('yellow', event.type)} ${safe(String(data?.['actorValue']))} ${safe(String(data?.['measure']))} (${safe(String(data?.['reason']))})`
  return safe(eventSentence(event))
}
