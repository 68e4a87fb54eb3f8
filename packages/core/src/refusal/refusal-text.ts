import type { Refusal } from '../decision/decision.ts'
import type { RefusalLanguage } from '../decision/refusal-language.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { pageLanguage } from './page-language.ts'
import { translatedSentence } from './refusal-sentences.ts'
import { REFUSAL_WORDS, type RefusalKind, type RefusalWords } from './refusal-words.ts'

/** A refusal as text for people. */
export interface RefusalText {
  readonly language: RefusalLanguage
  readonly words: RefusalWords
  readonly status: number
  readonly title: string
  /** What happened, in plain words. */
  readonly explanation: string
  /**
   * The guard's own sentence: translated where it is a common one, else in English; empty where it says no
   * more than the explanation in another language does.
   */
  readonly detail: string
  /** Whether `detail` is in `language`, not in English. */
  readonly detailIsTranslated: boolean
  /** When to try again; empty when that is not known. */
  readonly until: string
  readonly id: string
}

const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400

/** A refusal in the language of pages for this caller. */
export function refusalText(refusal: Refusal, exchange: Exchange): RefusalText {
  const used = pageLanguage(exchange)
  const words = REFUSAL_WORDS[used]
  const kind = refusalKind(refusal)
  const sentence = refusal.reasons[0].message
  const translated = translatedSentence(sentence, used)
  return {
    language: used,
    words,
    status: refusal.status,
    title: words.title[kind],
    explanation: words.text[kind],
    detail: translated ?? (used === 'en' || kind === 'deny' || kind === 'challenge' ? sentence : ''),
    detailIsTranslated: translated !== undefined,
    until: refusal.retryAfter === undefined ? '' : untilText(refusal.retryAfter, exchange.time, used, words),
    id: exchange.id,
  }
}

export function refusalKind({ status, effect }: Refusal): RefusalKind {
  return status >= 500 ? 'unavailable' : effect
}

/**
 * Whole minutes, hours and days are rounded up: nobody should come back too early. The hour is given in UTC,
 * for the page runs no script to ask the reader's clock.
 */
function untilText(seconds: number, now: number, language: RefusalLanguage, words: RefusalWords): string {
  const [amount, unit] =
    seconds < 2 * MINUTE
      ? ([seconds, 'second'] as const)
      : seconds < 2 * HOUR
        ? ([Math.ceil(seconds / MINUTE), 'minute'] as const)
        : seconds < 2 * DAY
          ? ([Math.ceil(seconds / HOUR), 'hour'] as const)
          : ([Math.ceil(seconds / DAY), 'day'] as const)
  const when = new Intl.RelativeTimeFormat(language).format(amount, unit)
  const time = new Intl.DateTimeFormat(language, {
    ...(seconds >= DAY / 2 && { month: 'long', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  }).format(now + seconds * 1_000)
  return words.wait.replace('{when}', () => when).replace('{time}', () => time)
}
