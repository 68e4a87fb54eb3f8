import { isMemoryOnly, type LoadedConfig } from '@postern/config'
import type { Event } from '@postern/core'
import { EventLog } from './event-log.ts'
import { eventSentence } from './event-sentence.ts'

/**
 * What a layer in another's process says: nothing, what it does when it starts and what is set wrong, or each
 * refusal too.
 */
export type Verbosity = 'none' | 'start' | 'refusals'

/**
 * The one line about what stands between clients and the application.
 * @example
 * enforcing: HTTP checks, limits (memory), inspection, 41 scenarios, bans; audit log in .postern;
 * configuration: postern.config.yaml
 */
export function startLine({ config, file, written }: LoadedConfig, scenarios: number): string {
  const parts = [
    config.protocol !== false && 'HTTP checks',
    config.limits.length > 0 && `limits (${config.stores.limits})`,
    config.inspect !== false && 'inspection',
    scenarios > 0 && `${scenarios} scenarios`,
    config.remediations !== false && 'bans',
  ].filter(part => part !== false)
  const what = parts.length === 0 ? 'no protection is on' : parts.join(', ')
  const log = logPlace(config)
  const mode = config.mode === 'observe' ? 'observing, nothing is blocked' : 'enforcing'
  const place = file.path ?? (Object.keys(written).length > 0 ? 'in code' : 'none (defaults)')
  return `${mode}: ${what}; ${log}; configuration: ${place}`
}

function isLogged({
  audit,
  dataDirectory,
}: Pick<LoadedConfig['config'], 'audit' | 'dataDirectory'>): boolean {
  return audit !== false && (audit.store === 'postgres' || !isMemoryOnly(dataDirectory))
}

function logPlace({ audit, dataDirectory }: LoadedConfig['config']): string {
  if (audit === false) return 'no audit log'
  if (audit.store === 'postgres') return 'audit log in PostgreSQL'
  return isMemoryOnly(dataDirectory) ? 'no audit log (dataDirectory: false)' : `audit log in ${dataDirectory}`
}

/**
 * Takes the events of an engine and writes what an operator should see, at most 50 lines a second.
 * @param config says whether `postern explain` will find a refused request
 */
export function noticeEvents(
  verbosity: Verbosity,
  write: (line: string) => void,
  config: Pick<LoadedConfig['config'], 'audit' | 'dataDirectory'>,
): (event: Event) => void {
  const more = isLogged(config) ? 'npx postern explain' : 'not logged:'
  if (verbosity === 'none') return () => undefined
  const log = new EventLog(
    event => write(noticeLine(event, more)),
    count => write(`${count} more like these were not shown`),
  )
  return event => {
    if (isNotice(event, verbosity)) log.take(event, 'refusals')
  }
}

/** Beside refusals and what could not be done (`crowdsec.failed`): not each sign-in with a wrong password. */
const NOTICES: ReadonlySet<string> = new Set([
  'finding',
  'config.refused',
  'audit.lost',
  'store.away',
  'store.back',
])

function isNotice({ type, decision, observed, data }: Event, verbosity: Verbosity): boolean {
  if (type === 'proxy.untrusted') return true
  if (verbosity === 'start') return false
  if (type === 'http') return decision !== 'allow' || observed !== undefined
  return NOTICES.has(type) || (type.endsWith('.failed') && typeof data?.['problem'] === 'string')
}

/** Names the rule and the request, nothing that a person sent: logs of applications travel far. */
function noticeLine(event: Event, more: string): string {
  const { type, request, outcome, decision, observed, reasons, data } = event
  if (type === 'finding') {
    const measure = data?.['measure'] === undefined ? '' : `; ${String(data['measure'])}`
    return `found: ${printable(String(data?.['title'] ?? data?.['scenario']))}${measure}`
  }
  if (type !== 'http') return printable(eventSentence(event), 1_000)
  const verdict = observed === undefined ? (decision ?? 'deny') : `would ${observed}`
  const status = decision === 'allow' ? '' : ` ${outcome?.status ?? ''}`
  const rule = reasons?.[0]?.rule ?? event.guard ?? ''
  const where = printable(`${request?.method ?? ''} ${request?.path ?? ''}`)
  return `${verdict}${status} ${where} ${rule} (${more} ${request?.id ?? ''})`
}

/** One line of a terminal, whatever a caller put into its path. */
function printable(text: string, length = 200): string {
  return text.slice(0, length).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
}
