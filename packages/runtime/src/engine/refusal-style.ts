import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LoadedConfig } from '@postern/config'
import {
  type AnswerStyle,
  ConfigError,
  escapeHtml,
  FILE_HINT,
  fileProblem,
  type Json,
  prefersHtml,
  type RefusalText,
  refusalText,
  textDirection,
} from '@postern/core'

const LONGEST_PAGE = 262_144
const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g

/** Styles, pictures and fonts of the site itself; no script, so that nothing a caller sent could ever run. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'none'; base-uri 'none'; frame-ancestors 'none'"

const VALUES: Readonly<Record<string, (text: RefusalText) => string | number>> = {
  title: text => text.title,
  explanation: text => text.explanation,
  detail: text => text.detail,
  until: text => text.until,
  id: text => text.id,
  status: text => text.status,
  language: text => text.language,
  direction: text => textDirection(text.language),
}

/**
 * How refusals look under a configuration. A page of one's own is read here, once.
 * @throws ConfigError for a file that cannot be read or is longer than 256 KiB, and for words in it that do
 * not exist
 */
export function refusalStyle({ config, file }: LoadedConfig): Pick<AnswerStyle, 'language' | 'content'> {
  const { html, json, language } = config.refusal
  const page = html === undefined ? undefined : readPage(resolve(file.folder, html))
  if (json !== undefined) checkPlaceholders(JSON.stringify(json), 'refusal.json')
  const used = language === 'auto' ? undefined : language
  if (page === undefined && json === undefined) return used === undefined ? {} : { language: used }
  return {
    language: used,
    content: (refusal, exchange) => {
      const text = refusalText(refusal, exchange)
      if (prefersHtml(exchange))
        return page === undefined
          ? undefined
          : { type: 'text/html; charset=utf-8', text: filled(page, text), policy: POLICY }
      return json === undefined
        ? undefined
        : { type: 'application/json', text: JSON.stringify(filledJson(json, text)) }
    },
  }
}

function readPage(path: string): string {
  try {
    if (statSync(path).size > LONGEST_PAGE)
      throw new ConfigError({
        place: 'refusal.html',
        problem: `${path} is longer than 256 KiB`,
        hint: 'load pictures and styles from the site',
      })
    const page = readFileSync(path, 'utf8')
    checkPlaceholders(page, 'refusal.html')
    return page
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError({
      place: 'refusal.html',
      problem: `${path} ${fileProblem(error)}`,
      hint: FILE_HINT,
    })
  }
}

function checkPlaceholders(template: string, place: string): void {
  for (const [, name = ''] of template.matchAll(PLACEHOLDER))
    if (!Object.hasOwn(VALUES, name))
      throw new ConfigError({
        place,
        problem: `there is no {{${name.slice(0, 40)}}}`,
        hint: `there are ${Object.keys(VALUES).join(', ')}`,
      })
}

function wordFor(name: string, text: RefusalText): string | number {
  return VALUES[name]?.(text) ?? ''
}

function filled(page: string, text: RefusalText): string {
  return page.replace(PLACEHOLDER, (_, name: string) => escapeHtml(String(wordFor(name, text))))
}

/** A text that is one word alone becomes its value, so that `{{status}}` can be a number. */
function filledJson(value: Json, text: RefusalText): Json {
  if (typeof value === 'string') {
    const alone = /^\{\{\s*(\w+)\s*\}\}$/.exec(value)?.[1]
    if (alone !== undefined) return wordFor(alone, text)
    return value.replace(PLACEHOLDER, (_, name: string) => String(wordFor(name, text)))
  }
  if (Array.isArray(value)) return value.map(item => filledJson(item, text))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filledJson(inner, text)]))
  return value
}
