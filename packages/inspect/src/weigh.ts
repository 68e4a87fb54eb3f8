import { type Level, thresholdOf } from './family.ts'
import type { Rule, Span } from './rule.ts'
import type { ValueSetting } from './value-setting.ts'

/** What runs in the page that shows it. */
const ACTIVE_MARKUP = new Set(['xss/handler', 'xss/script-url', 'xss/style'])
/** What harms whoever merely reads, logs or fetches it. */
const ACTS_BY_ITSELF = new Set(['template/lookup', 'ssrf/metadata', 'prototype/key'])
/** What no address holds for an honest reason. */
const IN_ADDRESSES = new Set([
  'ssrf/metadata',
  'ssrf/scheme',
  'ssrf/server-scheme',
  'ssrf/disguised',
  'xss/script-url',
  'template/lookup',
])
/** Chance makes shorter ones out of the signs that a password is made of. */
const UNMISTAKABLE = 10
/** What these find is made of words that chance does not make. */
const WORDED = new Set([
  'code/node',
  'code/python',
  'deserialisation/java',
  'deserialisation/php',
  'deserialisation/python',
  'java/gadget',
  'java/runtime',
  'java/static-call',
])

/**
 * The score of a hit in its setting. A stricter level than 1 gives no benefit of the doubt.
 * @param id of the rule, or of the shape that its lexer told apart
 * @param isEscaped whether its markup came out of named character references in a body
 */
export function weigh(
  rule: Rule,
  id: string,
  span: Span,
  setting: ValueSetting,
  level: Level,
  isEscaped: boolean,
): number {
  const own = span.score ?? rule.score
  // Markup in named references is text to every page, and what rich editors send of code. Who undoes them
  // twice is rare.
  const score = isEscaped && rule.family === 'xss' && level === 1 ? Math.min(own, thresholdOf(1) - 1) : own
  switch (setting) {
    case 'plain':
      return score
    case 'data':
      return (span.bare ?? rule.bare) === true && level === 1
        ? Math.min(score - 1, thresholdOf(1) - 1)
        : score
    case 'document':
      return level > 1 || !rule.quotable ? score : Math.min(score, thresholdOf(1) - 1)
    case 'text':
      return ACTS_BY_ITSELF.has(id) || isActiveMarkup(id, score) ? score : 0
    case 'markup':
      return isActiveMarkup(id, score) ? score : 0
    case 'report':
      return isActiveMarkup(id, score) && id !== 'xss/script-url' ? score : 0
    case 'url':
      return IN_ADDRESSES.has(id) ? score : 0
    case 'secret':
      return isUnmistakable(id, score, span.end - span.start) ? score : 0
  }
}

function isUnmistakable(id: string, score: number, length: number): boolean {
  return length >= UNMISTAKABLE && (score > thresholdOf(1) || (score === thresholdOf(1) && WORDED.has(id)))
}

function isActiveMarkup(id: string, score: number): boolean {
  return ACTIVE_MARKUP.has(id) || (id === 'xss/element' && score > thresholdOf(1))
}
