import { ConfigError } from '../error/errors.ts'
import { meantDuration } from './meant-duration.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * A length of time as people write it: `250ms`, `1.5s`, `10m`, `1h30m`, `7d`; or a number of milliseconds.
 */
export type Duration = string | number

/**
 * Milliseconds of a duration.
 * @param place named in the error, e.g. `limits.login.window`
 * @throws ConfigError for anything else than a non-negative duration
 */
export function parseDuration(duration: Duration, place = 'duration'): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration
    throw new ConfigError({
      place,
      problem: `${duration} is not a number of milliseconds`,
      hint: 'write a number and a unit, e.g. 250ms, 10s, 1h30m, 7d',
    })
  }
  if (typeof duration !== 'string')
    throw new ConfigError({
      place,
      problem: duration === undefined ? 'is missing' : `must be a duration, not ${typeof duration}`,
      hint: 'write a number and a unit, e.g. 250ms, 10s, 1h30m, 7d',
    })
  let total = 0
  let end = 0
  for (const part of duration.matchAll(/(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d|w)/gy)) {
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? Number.NaN)
    end = part.index + part[0].length
  }
  if (end === 0 || end !== duration.length) {
    throw new ConfigError({
      place,
      problem: `"${duration.slice(0, 40)}" is not a duration`,
      hint: hintFor(duration),
    })
  }
  return total
}

function hintFor(duration: string): string {
  const meant = meantDuration(duration)
  if (meant !== undefined) return `write "${meant}"`
  const said = 'write a number and a unit, e.g. 250ms, 10s, 1h30m, 7d'
  const number = /^\s*(\d{1,12})\s*$/.exec(duration)?.[1]
  return number === undefined ? said : `write the unit: "${number}s", "${number}m" or "${number}ms"`
}

/** A duration for people: `90000` becomes `1m 30s`. Rounds to two units. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)}ms`
  const parts: string[] = []
  let rest = Math.round(ms / 1_000)
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds)
    if (count > 0) parts.push(`${count}${unit}`)
    rest -= count * seconds
  }
  return parts.slice(0, 2).join(' ')
}
