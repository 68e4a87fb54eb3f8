import type { AuditQuery, Entry } from '@postern/audit'
import { ConfigError, type Effect, type Event, parseAddress, parseDuration } from '@postern/core'
import { type CommandOptions, textOption } from './command.ts'
import { wholeOption } from './whole-option.ts'

const EFFECTS: readonly Effect[] = ['allow', 'throttle', 'challenge', 'deny']
/** What observe mode writes of a request that it let pass. */
const WOULD = /^would-(throttle|challenge|deny)$/

/**
 * What is looked for, and what the index cannot answer: that is decided entry by entry, so `limit` counts
 * what it leaves.
 */
export interface AuditFilter {
  readonly query: AuditQuery
  readonly limit: number | undefined
  readonly matches: (event: Event) => boolean
}

/**
 * What `audit search` and `audit export` look for.
 * @param now epoch milliseconds, for `--since 2h`
 * @throws ConfigError for an invalid time, decision or number
 */
export function auditFilter(options: CommandOptions, now: number): AuditFilter {
  const text = (name: string): string | undefined => textOption(options, name)
  const decision = text('decision')
  const address = text('address')
  const would = WOULD.exec(decision ?? '')?.[1]
  const since = text('since')
  const until = text('until')
  const query: AuditQuery = {
    ...optional('principal', text('principal')),
    ...optional('address', address === undefined ? undefined : oneAddress(address)),
    ...optional('tenant', text('tenant')),
    ...optional('type', text('type')),
    ...optional('action', text('action')),
    ...optional('request', text('request')),
    ...optional('text', text('text')),
    ...optional(
      'decision',
      decision === undefined ? undefined : would === undefined ? parseEffect(decision) : 'allow',
    ),
    ...optional('from', since === undefined ? undefined : parseTime(since, '--since', now)),
    ...optional('to', until === undefined ? undefined : parseTime(until, '--until', now)),
  }
  return {
    query,
    limit: wholeOption(options, 'limit', undefined, { least: 1 }),
    matches: event => would === undefined || event.observed === would,
  }
}

/** The entries of a log that a filter lets through, at most as many as it says. */
export async function* filteredEntries(
  log: { query(query: AuditQuery): AsyncIterable<Entry> },
  { query, limit = Number.POSITIVE_INFINITY, matches }: AuditFilter,
): AsyncGenerator<Entry> {
  let found = 0
  for await (const entry of log.query(query)) {
    if (!matches(entry.event)) continue
    yield entry
    found++
    if (found >= limit) return
  }
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: Value })
}

function oneAddress(text: string): string {
  const address = parseAddress(text)
  if (address !== undefined) return address
  throw new ConfigError({
    place: '--address',
    problem: `"${text.slice(0, 60)}" is not an IP address`,
    hint: text.includes('/')
      ? 'entries are found by one address, not by a range'
      : 'e.g. 203.0.113.7 or 2001:db8::7',
  })
}

function parseEffect(text: string): Effect {
  const effect = EFFECTS.find(known => known === text)
  if (effect !== undefined) return effect
  throw new ConfigError({
    place: '--decision',
    problem: `"${text.slice(0, 40)}" is not a decision`,
    hint: [...EFFECTS, ...EFFECTS.slice(1).map(effect => `would-${effect}`)].join(', '),
  })
}

/** How every date begins that is read: the year, month and day of ISO 8601. */
const DATED = /^\d{4}-\d\d-\d\d/
/** A time without a zone. */
const UNZONED = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)$/i

/** `2h` ago, or a date. Without a zone it is UTC, as entries are shown, wherever the command runs. */
function parseTime(text: string, place: string, now: number): number {
  if (/^\d+(?:\.\d+)?(?:ms|[smhdw])/.test(text)) return now - parseDuration(text, place)
  // Without a form of its own, "7" would be a month of 2001.
  const time = DATED.test(text) ? Date.parse(text.replace(UNZONED, '$1T$2Z')) : Number.NaN
  if (Number.isFinite(time)) return time
  throw new ConfigError({
    place,
    problem: `"${text.slice(0, 40)}" is not a time`,
    hint: /^-?[\d.]{1,6}$/.test(text)
      ? `write the unit, e.g. ${text.replace('-', '')}d or ${text.replace('-', '')}h`
      : 'e.g. 2h, or 2026-11-23T10:00:00Z',
  })
}
