import type { Entry } from '../entry/entry.ts'

/**
 * Characters that a collector, or the terminal that shows its files, would act on.
 * Line ends are written as CEF defines them.
 */
const CONTROL = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/g

/** In a header field `\` and `|` are escaped, in an extension value `\`, `=` and line ends (CEF 25). */
function header(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(CONTROL, ' ')
    .replace(/[\\|]/g, '\\$&')
}

function value(text: string): string {
  return text.replace(CONTROL, ' ').replace(/[\\=]/g, '\\$&').replace(/\r?\n/g, '\\n').replace(/\r/g, '\\r')
}

/** 0 to 10, as CEF defines it. */
function severity({ event }: Entry): number {
  if (event.type === 'finding') {
    const named = event.data?.['severity']
    return { low: 4, medium: 6, high: 8, critical: 10 }[typeof named === 'string' ? named : ''] ?? 5
  }
  return event.decision === undefined || event.decision === 'allow' ? 2 : 5
}

/** An entry in the Common Event Format, without a syslog header. */
export function toCef(entry: Entry): string {
  const { event } = entry
  const title = event.reasons?.[0]?.message ?? event.action ?? event.type
  const fields: readonly (readonly [string, string | number | undefined])[] = [
    ['rt', Math.round(event.time)],
    ['externalId', entry.index.toString()],
    ['src', event.actor.address?.includes(':') === false ? event.actor.address : undefined],
    ['c6a2', event.actor.address?.includes(':') === true ? event.actor.address : undefined],
    ['c6a2Label', event.actor.address?.includes(':') === true ? 'Source IPv6 Address' : undefined],
    ['suser', event.actor.principal],
    ['requestMethod', event.request?.method],
    ['request', event.request === undefined || event.request.path === '' ? undefined : event.request.path],
    ['dhost', event.request?.host],
    ['requestClientApplication', event.actor.agent],
    ['act', event.decision],
    ['outcome', event.outcome?.status],
    ['reason', event.reasons?.[0]?.rule],
    ['cs1', event.request?.id],
    ['cs1Label', event.request === undefined ? undefined : 'requestId'],
    ['cs2', entry.leafHash],
    ['cs2Label', 'leafHash'],
    ['cs3', entry.tenant === '' ? undefined : entry.tenant],
    ['cs3Label', entry.tenant === '' ? undefined : 'tenant'],
  ]
  const extension = fields
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${name}=${value(String(field))}`)
    .join(' ')
  return `CEF:0|Postern|Postern|0.1|${header(event.type)}|${header(title)}|${severity(entry)}|${extension}`
}
