import { type Level, thresholdOf } from '../rule/family.ts'
import type { Rule, Span } from '../rule/rule.ts'
import type { ValueSetting } from '../value/value-setting.ts'

/** Programs between marks of a page. */
const MARKED = new Set(['code/php-tag', 'code/scriptlet', 'code/page-directive', 'ssi/directive'])
/** What runs in the page that shows it. */
const ACTIVE_MARKUP = new Set(['xss/handler', 'xss/script-url', 'xss/style'])
/** What acts as the whole of a path, a class name, a head of a mail, and is a mention where people write. */
const MENTIONED = new Set([
  'traversal/sensitive-file',
  'traversal/mention',
  'traversal/wrapper',
  'traversal/body-steps',
  'traversal/steps',
  'traversal/form-steps',
  'traversal/served-page',
  'java/class-name',
  'mail/command',
  'rce/line-command',
  'code/loop',
  'crlf/body-split',
  'xss/script-word',
  'template/arithmetic',
  'code/look-call',
  'code/server-call',
  'rce/cron-line',
  'rce/proof-file',
  'rce/fetched-script',
  'rce/fetched-tool',
  'rce/shell-look',
  'rce/left-program',
  'rce/written-substitution',
  'rce/interpreter-code',
  'traversal/argument-file',
  'traversal/system-url',
])
/** What quotes and operators of any code look like to a query; surer ones score more. */
const BY_CHANCE = new Set([
  'sqli/tautology',
  'sqli/comment',
  'sqli/arithmetic',
  'sqli/stacked',
  'sqli/concatenation',
  'sqli/clause',
])
/**
 * What runs something, sets what is everybody's, or breaks out of quotes, as the whole of a value: people
 * quote it where they write, and nowhere else is it data.
 */
const RUNS = new Set([
  'code/run',
  'code/inner-start',
  'code/exit-call',
  'code/inner-call',
  'code/started-program',
  'nosqli/graph',
  'nosqli/triples',
  'code/look-call',
  'code/server-call',
  'rce/proof-file',
  'rce/fetched-script',
  'rce/fetched-tool',
  'rce/shell-look',
  'rce/windows-cut',
  'template/condition',
  'xss/element-end',
  'code/python-internal',
  'code/php-output',
  'java/constructor',
  'nosqli/operator-value',
  'prototype/key',
  'rce/windows',
  'sqli/bracket-operator',
  'sqli/call',
  'sqli/quote-operator',
  'sqli/union-alone',
  'xss/page-object',
])
/** What starts a program, or reaches the server, where a value is evaluated: no formula needs it. */
const EVALUATED = new Set([
  'code/command-call',
  'code/started-string',
  'code/exit-call',
  'code/inner-start',
  'code/started-program',
  'code/server-call',
  'code/look-call',
  'rce/shell-look',
  'rce/fetched-script',
  'rce/fetched-tool',
])
/** What harms whoever merely logs it. */
const LOOKED_UP = new Set(['template/jndi', 'template/lookup'])
/** What harms whoever merely reads, logs or fetches it. */
const ACTS_BY_ITSELF = new Set(['template/jndi', 'template/lookup', 'ssrf/metadata', 'prototype/key'])
/** What no address holds for an honest reason. */
const IN_ADDRESSES = new Set([
  'ssrf/metadata',
  'ssrf/scheme',
  'ssrf/server-scheme',
  'ssrf/disguised',
  'ssrf/disguised-host',
  'ssrf/odd-address',
  'ssrf/host-ending',
  'ssrf/schemed-host',
  'ssrf/cloud-name',
  'xss/script-url',
  'template/jndi',
  'template/lookup',
])
/** Chance makes shorter ones out of the signs that a password is made of. */
const UNMISTAKABLE = 10
/** What these find is made of words, or of decoded tokens, that chance does not make. */
const WORDED = new Set([
  'session/unsigned-token',
  'code/break-out',
  'code/inner-call',
  'code/node',
  'code/python',
  'deserialisation/java',
  'deserialisation/php',
  'deserialisation/python',
  'java/class-name',
  'java/gadget',
  'java/runtime',
  'java/static-call',
  'ssrf/metadata',
  'traversal/body-steps',
  'traversal/steps',
  'traversal/wrapper',
  'xss/handler',
  'xss/page-object',
  'xss/script-url',
])
/** Short, and yet not made by chance: bytes that a serialised object begins with, a lookup by its name. */
const SHORT_AND_SURE = new Set([
  'deserialisation/head',
  'deserialisation/java',
  'deserialisation/java-hex',
  'nosqli/operator-value',
  'rce/separated-look',
  'template/jndi',
  'template/lookup',
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
  const score = isEscaped && isMarkup(rule, id) ? doubted(own, level) : own
  switch (setting) {
    case 'plain':
      return score
    case 'data':
    case 'quotation':
    case 'program':
    case 'prose':
    case 'document':
      return isQuoted(rule, id, span, score, setting) ? doubted(score, level) : score
    default:
      return acts(id, span, score, setting) ? score : 0
  }
}

/** Whether what a hit found is data where texts of all kinds are. */
function isQuoted(
  rule: Rule,
  id: string,
  span: Span,
  score: number,
  setting: 'data' | 'quotation' | 'program' | 'prose' | 'document',
): boolean {
  if (setting === 'program' && EVALUATED.has(id)) return false
  if ((span.bare ?? rule.bare) === true) return true
  if (setting === 'document') return rule.quotable
  if (setting === 'data') return false
  // A query in a field for queries.
  if ((setting === 'quotation' || setting === 'program') && id === 'sqli/subquery' && span.bare !== false)
    return true
  return (RUNS.has(id) && span.bare !== false) || (setting === 'prose' && isMention(id, score))
}

/** Whether it counts where only some hits do. */
function acts(
  id: string,
  span: Span,
  score: number,
  setting: 'text' | 'markup' | 'report' | 'sample' | 'url' | 'secret',
): boolean {
  switch (setting) {
    case 'text':
      return isActiveText(id, score)
    case 'markup':
      return isActiveMarkup(id, score)
    case 'report':
      // Whoever logs the report looks it up.
      return LOOKED_UP.has(id) || (isActiveMarkup(id, score) && id !== 'xss/script-url')
    case 'sample':
      return ACTS_BY_ITSELF.has(id)
    case 'url':
      return IN_ADDRESSES.has(id)
    case 'secret':
      return isUnmistakable(id, score, span.end - span.start)
  }
}

/**
 * Whether people write of what a hit found: it acts nowhere but as the whole of something, or it is what
 * quotes in code come to by chance.
 */
function isMention(id: string, score: number): boolean {
  return MENTIONED.has(id) || (BY_CHANCE.has(id) && score === thresholdOf(1))
}

/** Whether it acts where a text is shown, read or logged. */
function isActiveText(id: string, score: number): boolean {
  return ACTS_BY_ITSELF.has(id) || isActiveMarkup(id, score)
}

function isMarkup(rule: Rule, id: string): boolean {
  return rule.family === 'xss' || MARKED.has(id)
}

/** A score that does not refuse at level 1; stricter levels give no benefit of the doubt. */
function doubted(score: number, level: Level): number {
  return level === 1 ? Math.min(score, thresholdOf(1) - 1) : score
}

function isUnmistakable(id: string, score: number, length: number): boolean {
  if (SHORT_AND_SURE.has(id)) return true
  return length >= UNMISTAKABLE && (score > thresholdOf(1) || (score === thresholdOf(1) && WORDED.has(id)))
}

function isActiveMarkup(id: string, score: number): boolean {
  return ACTIVE_MARKUP.has(id) || (id === 'xss/element' && score > thresholdOf(1))
}
