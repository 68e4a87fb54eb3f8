import type { AuditQuery } from '@postern/audit'
import { ConfigError, type Effect, parseAddress, parseDuration } from '@postern/core'
import { type CommandOptions, textOption } from './command.ts'

const EFFECTS: readonly Effect[] = ['allow', 'throttle', 'challenge', 'deny']

/**
 * What `audit search` and `audit export` look for.
 * @param now epoch milliseconds, for `--since 2h`
 * @throws ConfigError for a time, decision or number that is none
 */
export function auditFilter(options: CommandOptions, now: number): AuditQuery {
  const text = (name: string): string | undefined => textOption(options, name)
  const decision = text('decision')
  const address = text('address')
  const limit = text('limit')
  const since = text('since')
  const until = text('until')
  return {
    ...withoutUndefined('principal', text('principal')),
    ...withoutUndefined('address', address === undefined ? undefined : (parseAddress(address) ?? address)),
    ...withoutUndefined('tenant', text('tenant')),
    ...withoutUndefined('type', text('type')),
    ...withoutUndefined('action', text('action')),
    ...withoutUndefined('request', text('request')),
    ...withoutUndefined('text', text('text')),
    ...withoutUndefined('decision', decision === undefined ? undefined : parseEffect(decision)),
    ...withoutUndefined('from', since === undefined ? undefined : parseTime(since, '--since', now)),
    ...withoutUndefined('to', until === undefined ? undefined : parseTime(until, '--until', now)),
    ...withoutUndefined('limit', limit === undefined ? undefined : parseCount(limit)),
  }
}

function withoutUndefined<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: Value })
}

function parseEffect(text: string): Effect {
  const effect = EFFECTS.find(known => known === text)
  if (effect !== undefined) return effect
  throw new ConfigError({
    place: '--decision',
    problem: `"${text.slice(0, 40)}" is not a decision`,
    mend: EFFECTS.join(', '),
  })
}

/** `2h` ago, or a date. */
function parseTime(text: string, place: string, now: number): number {
  if (/^\d+(?:\.\d+)?(?:ms|[smhdw])/.test(text)) return now - parseDuration(text, place)
  const time = Date.parse(text)
  if (Number.isFinite(time)) return time
  throw new ConfigError({
    place,
    problem: `"${text.slice(0, 40)}" is not a time`,
    mend: 'e.g. 2h, or 2026-11-23T10:00:00Z',
  })
}

function parseCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new ConfigError({ place: '--limit', problem: `"${text.slice(0, 40)}" is not a whole number above 0` })
}
