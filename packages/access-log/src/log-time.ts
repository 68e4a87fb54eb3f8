const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

const ZONE = / [+-]\d{4}$/

/** Keeps the last time: the lines of a log come in order, so most share it with their neighbours. */
class CommonTimes {
  #text = ''
  #time = Number.NaN

  read(text: string): number {
    if (text === this.#text) return this.#time
    this.#time = readCommonTime(text)
    this.#text = text
    return this.#time
  }
}

const commonTimes = new CommonTimes()

/**
 * Milliseconds of `10/Oct/2023:10:22:41 +0200` (also with fractions; without a zone: UTC); NaN for any other
 * text.
 */
export function parseCommonTime(text: string): number {
  return commonTimes.read(text)
}

function readCommonTime(text: string): number {
  const month = MONTHS.indexOf(text.slice(3, 6)) / 3
  const time = Date.UTC(
    Number(text.slice(7, 11)),
    Number.isInteger(month) ? month : Number.NaN,
    Number(text.slice(0, 2)),
    Number(text.slice(12, 14)),
    Number(text.slice(15, 17)),
    Number(text.slice(18, 20)),
  )
  const zone = ZONE.test(text) ? Number(text.slice(-5)) : 0
  const minutes = Math.trunc(zone / 100) * 60 + (zone % 100)
  return time - minutes * 60_000
}

const COMMON = /^\d{2}\/\w{3}\/\d{4}[: ]/
/** A date and a time, with whatever stands between and behind them. */
const DATE = /^(\d{4}[-/]\d\d[-/]\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)( ?(?:Z|[+-]\d\d:?\d\d))?$/i

/**
 * Milliseconds of what JSON logs write: ISO 8601, common log time, or a number of
 * seconds, milli-, micro- or nanoseconds.
 */
export function parseAnyTime(value: unknown): number {
  if (typeof value === 'number') return fromNumber(value)
  if (typeof value !== 'string' || value.length > 64) return Number.NaN
  if (/^\d+(?:\.\d+)?$/.test(value)) return fromNumber(Number(value))
  const text = value.charCodeAt(0) === 0x5b ? value.slice(1, -1) : value
  if (text.charCodeAt(2) === 0x2f && COMMON.test(text)) return parseCommonTime(text)
  const date = DATE.exec(text)
  if (date === null) return Date.parse(text)
  const [, day = '', time = '', zone = ''] = date
  // Without a zone it is UTC, wherever the log is read.
  return Date.parse(`${day.replaceAll('/', '-')}T${time.replace(',', '.')}${zone === '' ? 'Z' : zone.trim()}`)
}

/** By magnitude: any of the four units gives a year between 1990 and 5000 in exactly one reading. */
function fromNumber(value: number): number {
  if (value > 1e17) return value / 1e6
  if (value > 1e14) return value / 1e3
  return value > 1e11 ? value : value * 1e3
}
