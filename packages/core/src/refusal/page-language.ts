import type { RefusalLanguage } from '../decision/refusal-language.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { REFUSAL_WORDS } from './refusal-words.ts'

/** The language of pages for this caller: the one that is configured, else the one that they prefer. */
export function pageLanguage(exchange: Exchange): RefusalLanguage {
  return exchange.style.language ?? preferredLanguage(exchange.header('accept-language'))
}

/**
 * The language of the header `Accept-Language` (RFC 9110 section 12.5.4) that is
 * preferred and known; English where none is.
 */
export function preferredLanguage(accepted: string | undefined): RefusalLanguage {
  let best: RefusalLanguage = 'en'
  let bestQuality = 0
  for (const part of (accepted ?? '').slice(0, 500).split(',')) {
    const [tag = '', quality] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*q=/)
    const language = tag.split('-', 1)[0] ?? ''
    const weight = quality === undefined ? 1 : Number(quality)
    if (weight > bestQuality && Object.hasOwn(REFUSAL_WORDS, language)) {
      best = language as RefusalLanguage
      bestQuality = weight
    }
  }
  return best
}
