import { ConfigError, type ConfigIssue } from '@postern/core'
import { MarkupLexer } from '../lex/html-elements.ts'
import { SqlInjectionLexer } from '../lex/sql-injection.ts'
import type { Rule, Span } from '../rule/rule.ts'
import type { Reading } from '../value/reading.ts'
import { foreignRule, type LoadedRules } from './datadog-rules.ts'
import { compileForeign, findForeign } from './foreign-expression.ts'
import { parseSecLang, type SecRule } from './seclang-syntax.ts'
import { placesOf } from './seclang-variables.ts'

const markup = new MarkupLexer()
const sql = new SqlInjectionLexer()

/** The file that errors name, the paranoia level, and what happens to rules that are not understood. */
export interface SecLangOptions {
  /** Name of the file, for messages. */
  readonly file: string
  /**
   * What happens to a rule that uses what is not understood: `refuse` fails the whole file, `skip` names it
   * in `skipped`. Default `refuse`.
   */
  readonly unsupported?: 'refuse' | 'skip'
  /** Highest `paranoia-level/N` tag taken. Default 1. */
  readonly paranoia?: number
}

const SCORES: Readonly<Record<string, number>> = { CRITICAL: 5, ERROR: 4, WARNING: 3, NOTICE: 2 }
/** Inspection decodes everything anyway, so decoding transformations are already done. */
const TRANSFORMATIONS = new Set([
  'none',
  'lowercase',
  'urlDecode',
  'urlDecodeUni',
  'htmlEntityDecode',
  'jsDecode',
  'base64Decode',
  'removeNulls',
  'utf8toUnicode',
  'compressWhitespace',
  'removeWhitespace',
  'replaceComments',
  'cmdLine',
  'cssDecode',
  'normalizePath',
  'normalizePathWin',
])
const IGNORED_ACTIONS = new Set([
  'id',
  'phase',
  'msg',
  'logdata',
  'tag',
  'ver',
  'rev',
  'severity',
  'capture',
  'log',
  'nolog',
  'auditlog',
  'noauditlog',
  'block',
  'deny',
  'drop',
  'status',
  'setvar',
  'multiMatch',
  't',
  'maturity',
  'accuracy',
  'pass',
])

/**
 * Reads `SecRule` lines of a core rule set checkout: variables of the request, the operators `@rx`, `@pm`,
 * `@contains`, `@streq`, `@beginsWith`, `@endsWith`, `@detectSQLi`, `@detectXSS`. Chains, control actions,
 * counters, files of words and response phases are not understood.
 *
 * @throws ConfigError naming every line that is not a directive and every rule that is not understood, unless
 * `unsupported` is `skip`
 */
export function loadSecLangRules(text: string, options: SecLangOptions): LoadedRules {
  const rules: Rule[] = []
  const skipped: { id: string; reason: string }[] = []
  const issues: ConfigIssue[] = []
  const { rules: read, unread } = parseSecLang(text)
  for (const { line, text: directive } of unread) {
    skipped.push({ id: `line ${line}`, reason: NO_DIRECTIVE })
    issues.push(unreadIssue(`${options.file}:${line}`, directive))
  }
  let inChain = false
  for (const rule of read) {
    const id = rule.actions.get('id')?.[0] ?? `line ${rule.line}`
    const chained = inChain
    inChain = rule.actions.has('chain')
    if (chained) continue
    if (levelOf(rule) > (options.paranoia ?? 1)) continue
    const made = ruleOf(id, rule)
    if (made === undefined) continue
    if (typeof made === 'string') {
      skipped.push({ id, reason: made })
      issues.push({
        place: `${options.file}:${rule.line}`,
        problem: `rule ${id}: ${made}`,
        hint: 'leave the rule out, or load with unsupported: "skip"',
      })
    } else rules.push(made)
  }
  if (issues.length > 0 && options.unsupported !== 'skip') throw new ConfigError(issues)
  return { rules, skipped }
}

const NO_DIRECTIVE = 'is not a directive that is read here'

function unreadIssue(place: string, directive: string): ConfigIssue {
  return {
    place,
    problem: `${directive.slice(0, 40)}: ${NO_DIRECTIVE}`,
    hint: /^Include\b/i.test(directive)
      ? 'name that file in seclang'
      : 'leave the line out, or load with unsupported: "skip"',
  }
}

function levelOf(rule: SecRule): number {
  for (const tag of rule.actions.get('tag') ?? []) {
    const level = /^paranoia-level\/(\d)$/.exec(tag)
    if (level !== null) return Number(level[1])
  }
  return 1
}

/** A rule, why it cannot be one, or undefined for flow control that has nothing to find. */
function ruleOf(id: string, rule: SecRule): Rule | string | undefined {
  if (rule.variables.startsWith('TX:')) return undefined
  const phase = rule.actions.get('phase')?.[0] ?? '2'
  if (phase !== '1' && phase !== '2' && phase !== 'request') return `phase ${phase} is about responses`
  if (rule.actions.has('chain')) return 'chain'
  for (const action of rule.actions.keys()) if (!IGNORED_ACTIONS.has(action)) return `action ${action}`
  for (const transformation of rule.actions.get('t') ?? []) {
    if (!TRANSFORMATIONS.has(transformation)) return `transformation ${transformation}`
  }
  const test = placesOf(rule.variables)
  if (typeof test === 'string') return test
  const find = finderOf(rule.operator, rule.argument, (rule.actions.get('t') ?? []).includes('lowercase'))
  if (typeof find === 'string') return find
  const score = SCORES[rule.actions.get('severity')?.[0] ?? 'CRITICAL'] ?? 5
  return foreignRule(`loaded/${id}`, score, reading => (test(reading) ? find(reading) : undefined))
}

function finderOf(
  operator: string,
  argument: string,
  lowercase: boolean,
): ((reading: Reading) => Span | undefined) | string {
  const read = (reading: Reading): string => (lowercase ? reading.lower : reading.text)
  switch (operator) {
    case 'rx': {
      const expression = compileForeign(argument, false)
      if (typeof expression === 'string') return expression
      return reading => findForeign(expression, read(reading))
    }
    case 'pm': {
      const words = argument
        .toLowerCase()
        .split(/\s+/)
        .filter(word => word !== '')
      return reading => firstOf(reading.lower, words)
    }
    case 'contains':
      return reading => firstOf(read(reading), [argument])
    case 'streq':
      return reading => (read(reading) === argument ? { start: 0, end: argument.length } : undefined)
    case 'beginsWith':
      return reading => (read(reading).startsWith(argument) ? { start: 0, end: argument.length } : undefined)
    case 'endsWith':
      return reading =>
        read(reading).endsWith(argument)
          ? { start: read(reading).length - argument.length, end: read(reading).length }
          : undefined
    case 'detectSQLi':
      return reading => sql.find(reading)
    case 'detectXSS':
      return reading => markup.find(reading)
    default:
      return `operator @${operator}`
  }
}

function firstOf(text: string, words: readonly string[]): Span | undefined {
  for (const word of words) {
    const at = text.indexOf(word)
    if (at >= 0) return { start: at, end: at + word.length }
  }
  return undefined
}
