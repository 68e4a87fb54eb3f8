import { ConfigError } from '@postern/core'
import { MarkupLexer } from '../lex/html-elements.ts'
import { SqlInjectionLexer } from '../lex/sql-injection.ts'
import type { Rule, Span } from '../rule/rule.ts'
import type { Place, Reading } from '../value/reading.ts'
import { compileForeign, findForeign } from './foreign-expression.ts'

const markup = new MarkupLexer()
const sql = new SqlInjectionLexer()

/** Rules read from a file, and those that were not, with the reason. */
export interface LoadedRules {
  readonly rules: readonly Rule[]
  readonly skipped: readonly { readonly id: string; readonly reason: string }[]
}

const PLACES: Readonly<Record<string, readonly Place[]>> = {
  'server.request.query': ['query', 'name'],
  'server.request.body': ['body', 'name'],
  'server.request.path_params': ['path'],
  'server.request.uri.raw': ['path'],
  'server.request.headers.no_cookies': ['header', 'file-name'],
  'server.request.cookies': ['cookie'],
  'grpc.server.request.message': ['body'],
  'graphql.server.all_resolvers': ['body'],
  'graphql.server.resolver': ['body'],
}
const TRANSFORMERS = new Set([
  'lowercase',
  'removeNulls',
  'urlDecodeUni',
  'unicode_normalize',
  'normalizePath',
  'cmdLine',
  'removeComments',
])

/**
 * Reads dd-trace's `recommended.json` from the application's own node_modules. Rules of one condition with
 * an expression, a list of phrases, `is_sqli` or `is_xss` are taken (the latter two
 * answered by our lexers); the rest (run-time detectors, several conditions, lists of addresses) are named
 * in `skipped`.
 *
 * @param document the parsed file
 * @throws ConfigError when it is not such a file
 */
export function loadDatadogRules(document: unknown): LoadedRules {
  const list = field(document, 'rules')
  if (!Array.isArray(list)) {
    throw new ConfigError({
      place: 'dd-trace rules',
      problem: 'has no list of rules',
      hint: 'pass the parsed recommended.json of dd-trace',
    })
  }
  const rules: Rule[] = []
  const skipped: { id: string; reason: string }[] = []
  for (const entry of list as unknown[]) {
    const id = String(field(entry, 'id') ?? 'without id')
    const made = ruleOf(id, entry)
    if (typeof made === 'string') skipped.push({ id, reason: made })
    else rules.push(made)
  }
  return { rules, skipped }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function ruleOf(id: string, entry: unknown): Rule | string {
  const conditions = field(entry, 'conditions')
  if (!Array.isArray(conditions) || conditions.length !== 1) return 'more than one condition'
  const transformers = (field(entry, 'transformers') ?? []) as unknown[]
  const unknownOne = transformers.find(name => !TRANSFORMERS.has(String(name)))
  if (unknownOne !== undefined) return `transformer ${String(unknownOne)}`
  const condition: unknown = conditions[0]
  const parameters = field(condition, 'parameters')
  const inputs = field(parameters, 'inputs')
  if (!Array.isArray(inputs)) return 'no inputs'
  const tests = (inputs as unknown[]).map(inputTest).filter(test => test !== undefined)
  if (tests.length === 0) return 'reads nothing that inspection has'
  const find = finderOf(String(field(condition, 'operator')), parameters)
  if (typeof find === 'string') return find
  return foreignRule(`loaded/${id}`, 5, reading =>
    tests.some(test => test(reading)) ? find(reading) : undefined,
  )
}

/**
 * A rule from elsewhere: runs on every reading that is looked at, since nothing is known of what opens it.
 */
export function foreignRule(id: string, score: number, find: (reading: Reading) => Span | undefined): Rule {
  return { id, family: 'loaded', score, quotable: true, chars: 0, words: 0, find, attacks: [], benign: [] }
}

function inputTest(input: unknown): ((reading: Reading) => boolean) | undefined {
  const places = PLACES[String(field(input, 'address'))]
  if (places === undefined) return undefined
  const path = field(input, 'key_path')
  const key = Array.isArray(path) ? String(path[0]).toLowerCase() : undefined
  return reading => places.includes(reading.place) && (key === undefined || key === reading.name)
}

function finderOf(operator: string, parameters: unknown): ((reading: Reading) => Span | undefined) | string {
  switch (operator) {
    case 'match_regex': {
      const options = field(parameters, 'options')
      const sensitive = field(options, 'case_sensitive') === true
      const least = Number(field(options, 'min_length') ?? 0)
      const expression = compileForeign(String(field(parameters, 'regex')), !sensitive)
      if (typeof expression === 'string') return expression
      return reading =>
        reading.text.length < least
          ? undefined
          : findForeign(expression, sensitive ? reading.lower : reading.text)
    }
    case 'phrase_match': {
      const phrases = ((field(parameters, 'list') ?? []) as unknown[]).map(phrase =>
        String(phrase).toLowerCase(),
      )
      if (phrases.length === 0) return 'an empty list'
      return reading => {
        for (const phrase of phrases) {
          const at = reading.lower.indexOf(phrase)
          if (at >= 0) return { start: at, end: at + phrase.length }
        }
        return undefined
      }
    }
    case 'is_sqli':
      return reading => sql.find(reading)
    case 'is_xss':
      return reading => markup.find(reading)
    default:
      return `operator ${operator}`
  }
}
