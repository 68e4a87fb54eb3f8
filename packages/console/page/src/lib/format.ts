import type { LimitStanding } from './types.ts'

const LOCALE = 'en-GB'

// Made once: making one takes longer than all the rest of drawing a line.
const DATE_TIME = new Intl.DateTimeFormat(LOCALE, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

/** A time that entries of others may have: beyond what a date can hold, drawing it would end the page. */
function drawable(time: number): number {
  return Number.isNaN(time) ? 0 : Math.min(Math.max(time, -8.64e15), 8.64e15)
}

/** `14:03:09.512` on this machine's clock. */
export function clockTime(time: number): string {
  const date = new Date(drawable(time))
  return `${hourMinute(time)}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** `26 Nov, 14:03:09` */
export function dateTime(time: number): string {
  return DATE_TIME.format(drawable(time))
}

/** `14:03` */
export function hourMinute(time: number): string {
  const date = new Date(drawable(time))
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** `0 of 10 left in 1m, again in 6s`, `200 of 200 left at once`. */
export function standing({ kind, limit, window, remaining, retryAfter }: LimitStanding): string {
  const left = `${Math.floor(remaining)} of ${limit} left ${kind === 'concurrency' ? 'at once' : `in ${window}`}`
  return retryAfter > 0 ? `${left}, again in ${span(retryAfter)}` : left
}

/** `4h 12m`, `38s`: the two largest units. */
export function span(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds / 1_000))
  const parts: string[] = []
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds)
    rest -= count * seconds
    if (count > 0) parts.push(`${count}${unit}`)
  }
  return parts.slice(0, 2).join(' ') || '0s'
}

/** `0.42 ms`, `13 ms`, `1.2 s` */
export function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(2)} ms`
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`
}

/** `1,204`, `18.3k`, `2.1M` */
export function count(value: number): string {
  if (value < 10_000) return value.toLocaleString('en-US')
  return value < 1_000_000 ? `${(value / 1_000).toFixed(1)}k` : `${(value / 1_000_000).toFixed(1)}M`
}

/** `40 KiB`, `12 MiB` */
export function bytes(value: number): string {
  return value < 1_048_576 ? `${Math.round(value / 1_024)} KiB` : `${Math.round(value / 1_048_576)} MiB`
}

/** A path or query as the backend reads it; as sent where it is not percent-encoding. */
export function decoded(text: string): string {
  try {
    return visible(decodeURIComponent(text.replaceAll('+', ' ')))
  } catch {
    return visible(text)
  }
}

/**
 * Characters that are not seen, that turn the order of what is around them, or that pile up over the lines
 * above: an attacker hides behind them.
 */
const UNSEEN = /(?![\t\n\r])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?<=\p{M}{4})\p{M}/gu
const PLAIN = /^[\t\n\r\x20-\x7e]*$/

/** A text from outside with the characters that nobody sees written out: `\u202e`, `\u{e0041}`. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replaceAll(UNSEEN, character => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}
