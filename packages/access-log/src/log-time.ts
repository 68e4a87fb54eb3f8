const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/**
 * The last second that was read: the lines of a log come in order, so most share it with their neighbours.
 */
let lastText = ''
let lastTime = Number.NaN

/** Milliseconds of `10/Oct/2023:10:22:41 +0200` (also without a zone: UTC); NaN for any other text. */
export function parseCommonTime(text: string): number {
  if (text === lastText) return lastTime
  const month = MONTHS.indexOf(text.slice(3, 6)) / 3
  const time = Date.UTC(
    Number(text.slice(7, 11)),
    Number.isInteger(month) ? month : Number.NaN,
    Number(text.slice(0, 2)),
    Number(text.slice(12, 14)),
    Number(text.slice(15, 17)),
    Number(text.slice(18, 20)),
  )
  const zone = /^[+-]\d{4}$/.test(text.slice(21)) ? Number(text.slice(21)) : 0
  const minutes = Math.trunc(zone / 100) * 60 + (zone % 100)
  lastText = text
  lastTime = time - minutes * 60_000
  return lastTime
}

/**
 * Milliseconds of what JSON logs write: ISO 8601, common log time, or a number of
 * seconds, milli-, micro- or nanoseconds.
 */
export function parseAnyTime(value: unknown): number {
  if (typeof value === 'number') return fromNumber(value)
  if (typeof value !== 'string' || value.length > 64) return Number.NaN
  if (/^\d+(?:\.\d+)?$/.test(value)) return fromNumber(Number(value))
  if (/^\d{2}\/\w{3}\/\d{4}:/.test(value)) return parseCommonTime(value)
  return Date.parse(value)
}

/** By magnitude: any of the four units gives a year between 1990 and 5000 in exactly one reading. */
function fromNumber(value: number): number {
  if (value > 1e17) return value / 1e6
  if (value > 1e14) return value / 1e3
  return value > 1e11 ? value : value * 1e3
}
