import { weigh } from '../src/matches/weigh.ts'
import { RuleSet } from '../src/matching/rule-set.ts'
import type { Rule } from '../src/rule/rule.ts'
import { scanFeatures, seen } from '../src/value/features.ts'
import { type Place, type Reading, type ReadingHead, readingOf } from '../src/value/reading.ts'
import type { ValueSetting } from '../src/value/value-setting.ts'

/** Every place, and its letter in a row of the table. */
const PLACES: readonly (readonly [letter: string, place: Place])[] = [
  ['p', 'path'],
  ['q', 'query'],
  ['h', 'header'],
  ['c', 'cookie'],
  ['f', 'form'],
  ['b', 'body'],
  ['n', 'name'],
  ['u', 'file-name'],
]

/** Settings that tell flags of a rule apart: `data` asks for `bare`, `document` for `quotable`. */
const SETTINGS: readonly ValueSetting[] = ['plain', 'data', 'prose', 'document', 'text', 'markup', 'secret']

/** What one rule, alone, says of one text. */
export interface Look {
  /** Letters of the places where it hits a text from its start. */
  readonly start: string
  /** The same for a later window of a long value. */
  readonly later: string
  /** Half-open, with the id of the shape where a lexer tells shapes apart; undefined when it hits nowhere. */
  readonly span: string | undefined
  /** Whether it also looks where only rules that nobody quotes do. */
  readonly isCertain: boolean
  /** The score of the hit in each setting. */
  readonly weighed: readonly number[]
}

/** What a rule says of a text as it is written, under a name. */
export function lookOf(rule: Rule, text: string, name = 'q'): Look {
  const rules = new RuleSet([rule])
  const placesOf = (fromStart: boolean): string =>
    PLACES.filter(([, place]) => hitOf(rules, readingAt(text, name, { ...HEAD, place, fromStart })))
      .map(([letter]) => letter)
      .join('')
  const start = placesOf(true)
  const first = PLACES.find(([letter]) => start.startsWith(letter))
  const hit = first && hitOf(rules, readingAt(text, name, { ...HEAD, place: first[1] }))
  if (hit === undefined)
    return { start, later: placesOf(false), span: undefined, isCertain: false, weighed: [] }
  const { span } = hit
  const id = span.id ?? rule.id
  return {
    start,
    later: placesOf(false),
    span: `${span.start}-${span.end}${id === rule.id ? '' : ` ${id}`}`,
    isCertain: !rule.quotable,
    weighed: SETTINGS.map(setting => weigh(rule, id, span, setting, 1, false)),
  }
}

/** Whether the characters and words of a text let a rule look at it. */
export function wakes({ chars, words }: Rule, text: string): boolean {
  scanFeatures(text, 0, text.length)
  return (chars === 0 || (seen.chars & chars) !== 0) && (words === 0 || (seen.words & words) !== 0)
}

const HEAD: ReadingHead = { place: 'query', fromStart: true, isPiece: false, isEscaped: false }

function readingAt(text: string, name: string, head: ReadingHead): Reading {
  return readingOf(text, { name }, head)
}

function hitOf(rules: RuleSet, reading: Reading): Parameters<Parameters<RuleSet['run']>[1]>[0] | undefined {
  let first: Parameters<Parameters<RuleSet['run']>[1]>[0] | undefined
  rules.run(reading, hit => {
    first ??= hit
  })
  return first
}
