import { arabic } from './arabic.ts'
import { english } from './english.ts'
import { french } from './french.ts'
import { german } from './german.ts'
import { japanese } from './japanese.ts'
import { spanish } from './spanish.ts'
import type { Texts } from './texts.ts'

/** A language the pages speak (BCP 47). */
export type Language = 'en' | 'de' | 'es' | 'fr' | 'ja' | 'ar'

export const TEXTS: Readonly<Record<Language, Texts>> = {
  en: english,
  de: german,
  es: spanish,
  fr: french,
  ja: japanese,
  ar: arabic,
}

/** The languages with what they call themselves. */
export const LANGUAGES: readonly (readonly [Language, string])[] = [
  ['en', 'English'],
  ['de', 'Deutsch'],
  ['es', 'Español'],
  ['fr', 'Français'],
  ['ja', '日本語'],
  ['ar', 'العربية'],
]

/** Which way a language is written. */
export function direction(language: Language): 'ltr' | 'rtl' {
  return language === 'ar' ? 'rtl' : 'ltr'
}

/** The language a text names, with or without a region; undefined for one the pages do not speak. */
export function parseLanguage(text: string | undefined): Language | undefined {
  const primary = text?.trim().slice(0, 35).split('-')[0]?.toLowerCase()
  return LANGUAGES.find(([language]) => language === primary)?.[0]
}

/**
 * The language of `Accept-Language` (RFC 9110 section 12.5.4) that suits best, English
 * when none does. At most 20 are looked at.
 */
export function preferredLanguage(header: string | undefined): Language {
  const wishes = (header ?? '')
    .split(',', 20)
    .map((part, index) => {
      const [tag, weight] = part.split(';')
      const q = Number(/^\s*q=([\d.]{1,5})\s*$/.exec(weight ?? '')?.[1] ?? 1)
      return { language: parseLanguage(tag), q: Number.isNaN(q) ? 0 : q, index }
    })
    .filter(({ language, q }) => language !== undefined && q > 0)
    .sort((a, b) => b.q - a.q || a.index - b.index)
  return wishes[0]?.language ?? 'en'
}
