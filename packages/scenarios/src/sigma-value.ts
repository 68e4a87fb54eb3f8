import { type Address, CidrSet, ConfigError, parseAddress } from '@postern/core'
import { AffixSet } from './affix-set.ts'
import { type FieldValue, fieldReader } from './event-fields.ts'
import { expressionRisk } from './linear-expression.ts'
import type { RuleIssues } from './rule-issues.ts'
import { hasWildcard, unquote, WildcardPattern } from './wildcard-pattern.ts'
import { WordSet } from './word-set.ts'

/** A check of one field's value, with what it costs: cheap ones are asked first. */
export interface ValueTest {
  readonly cost: number
  readonly test: (value: FieldValue) => boolean
  /**
   * A text for which it holds has one of these in it, in the case of the test; undefined when none can be
   * named.
   */
  readonly words?: readonly string[] | undefined
}

/** How many of several values must match. */
type Wanted = 'any' | 'every'

/** Expressions see no more than this of a value, so that their time is bounded whatever is sent. */
const MAX_EXPRESSION_INPUT = 1_024

const MODIFIERS: ReadonlySet<string> = new Set([
  'contains',
  'startswith',
  'endswith',
  're',
  'i',
  'm',
  's',
  'cidr',
  'all',
  'lt',
  'lte',
  'gt',
  'gte',
  'exists',
  'cased',
  'neq',
])

/** Of these a field can have one: each says in another way how values are compared. */
const KINDS = ['contains', 'startswith', 'endswith', 're', 'cidr', 'lt', 'lte', 'gt', 'gte', 'exists']

/** Sigma's modifiers that would need another idea of events than ours. */
const REFUSED: Readonly<Record<string, string>> = {
  base64: 'use the field request.decoded, or an expression',
  base64offset: 'use an expression',
  wide: 'web events are not UTF-16',
  utf16: 'web events are not UTF-16',
  utf16le: 'web events are not UTF-16',
  utf16be: 'web events are not UTF-16',
  windash: 'web events have no command lines',
  expand: 'write the values themselves',
  fieldref: 'compare with a fixed value',
}

const NEVER: ValueTest = { cost: 0, test: () => false }

/**
 * Compiles the values of one field: `field|modifier|...: value or list`. A list matches when one value does,
 * with `all` when every one does. Text is compared without regard to case unless `cased`; `*` and `?` are
 * wildcards, `\` takes their meaning away.
 */
export function compileValue(
  values: readonly unknown[],
  modifiers: readonly string[],
  place: string,
  issues: RuleIssues,
): ValueTest {
  for (const modifier of modifiers) {
    if (MODIFIERS.has(modifier)) continue
    issues.add(
      place,
      `the modifier "${modifier}" is not understood`,
      REFUSED[modifier] ?? `known: ${[...MODIFIERS].join(', ')}`,
    )
    return NEVER
  }
  const has = (name: string): boolean => modifiers.includes(name)
  const [kind, another] = KINDS.filter(has)
  if (another !== undefined) issues.add(place, `"${kind}" and "${another}" cannot stand together`)
  const flag = ['i', 'm', 's'].find(has)
  if (flag !== undefined && !has('re')) issues.add(place, `"${flag}" has a meaning only behind "re"`)
  const test = compileMatch(values, has, place, issues)
  // A negated test also holds for texts without the words.
  return has('neq') ? { cost: test.cost, test: value => !test.test(value) } : test
}

/** The test of the values, as every modifier but `neq` has it. */
function compileMatch(
  values: readonly unknown[],
  has: (name: string) => boolean,
  place: string,
  issues: RuleIssues,
): ValueTest {
  if (has('exists')) {
    const [present] = values
    if (typeof present !== 'boolean' || values.length > 1) issues.add(place, '"exists" needs true or false')
    return { cost: 0, test: value => (value !== undefined) === present }
  }
  if (values.length === 0) {
    issues.add(place, 'has no value')
    return NEVER
  }
  const wanted: Wanted = has('all') ? 'every' : 'any'
  const compare = ['lt', 'lte', 'gt', 'gte'].find(has)
  if (compare !== undefined) return compileComparison(compare, values, place, issues)
  if (has('re'))
    return combine(
      values.map(value => compileExpression(value, has, place, issues)),
      wanted,
    )
  if (has('cidr'))
    return wanted === 'every'
      ? combine(
          values.map(value => compileCidr([value], place, issues)),
          wanted,
        )
      : compileCidr(values, place, issues)
  const fold = has('cased') ? (text: string): string => text : foldOnce
  return compileTexts(values, { shape: shapeOf(has), fold, wanted }, place, issues)
}

/** @param wanted how many of the tests must hold */
function combine(tests: readonly ValueTest[], wanted: Wanted): ValueTest {
  const [only] = tests
  if (only !== undefined && tests.length === 1) return only
  return {
    cost: tests.reduce((sum, test) => sum + test.cost, 0),
    words: wanted === 'every' ? tests.find(test => test.words !== undefined)?.words : wordsOfAny(tests),
    test:
      wanted === 'every'
        ? value => tests.every(one => one.test(value))
        : value => tests.some(one => one.test(value)),
  }
}

function wordsOfAny(tests: readonly ValueTest[]): readonly string[] | undefined {
  const all: string[] = []
  for (const { words } of tests) {
    if (words === undefined) return undefined
    all.push(...words)
  }
  return all
}

function compileComparison(
  kind: string,
  [bound, ...rest]: readonly unknown[],
  place: string,
  issues: RuleIssues,
): ValueTest {
  if (typeof bound !== 'number' || rest.length > 0) issues.add(place, `"${kind}" needs one number`)
  const limit = Number(bound)
  const holds: (value: number) => boolean =
    kind === 'lt'
      ? value => value < limit
      : kind === 'lte'
        ? value => value <= limit
        : kind === 'gt'
          ? value => value > limit
          : value => value >= limit
  return {
    cost: 0,
    test: value =>
      typeof value === 'number'
        ? holds(value)
        : typeof value === 'string' && value !== '' && holds(Number(value)),
  }
}

function compileExpression(
  value: unknown,
  has: (name: string) => boolean,
  place: string,
  issues: RuleIssues,
): ValueTest {
  const source = String(value)
  const risk = expressionRisk(source)
  if (risk !== undefined) {
    issues.add(
      place,
      `the expression ${JSON.stringify(source.slice(0, 80))} ${risk}`,
      'an attacker chooses the text it runs over: part the repetitions by a sure character, or use contains',
    )
    return { cost: 0, test: () => false }
  }
  // Sigma's expressions are case-sensitive unless |i; ours see decoded, lower-case fields too, so case
  // matters little.
  const expression = new RegExp(source, `${has('i') ? 'i' : ''}${has('m') ? 'm' : ''}${has('s') ? 's' : ''}`)
  return {
    cost: 20,
    test: testOf(text => expression.test(text.slice(0, MAX_EXPRESSION_INPUT))),
  }
}

function compileCidr(values: readonly unknown[], place: string, issues: RuleIssues): ValueTest {
  try {
    const ranges = CidrSet.parse(values.map(String), place)
    return {
      cost: 4,
      test: testOf(text => ranges.has((parseAddress(text) ?? '') as Address)),
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const issue of error.issues) issues.add(issue.place, issue.problem, issue.hint)
    return { cost: 0, test: () => false }
  }
}

/** Keeps the last text: many rules ask for the same field of one event. */
class FoldedTexts {
  #text = ''
  #folded = ''

  of(text: string): string {
    // Methods are asked for in between, and would push out what is kept.
    if (text === 'GET') return 'get'
    if (text === 'POST') return 'post'
    if (text !== this.#text) {
      this.#folded = text.toLowerCase()
      this.#text = text
    }
    return this.#folded
  }
}

const foldedTexts = new FoldedTexts()

function foldOnce(text: string): string {
  return foldedTexts.of(text)
}

type Shape = 'contains' | 'startswith' | 'endswith' | 'equals'

function shapeOf(has: (name: string) => boolean): Shape {
  if (has('contains')) return 'contains'
  if (has('startswith')) return 'startswith'
  return has('endswith') ? 'endswith' : 'equals'
}

/** How texts are compared. */
interface TextMatch {
  readonly shape: Shape
  /** Applied to both texts. */
  readonly fold: (text: string) => string
  readonly wanted: Wanted
}

function compileTexts(
  values: readonly unknown[],
  { shape, fold, wanted }: TextMatch,
  place: string,
  issues: RuleIssues,
): ValueTest {
  if (values.includes(null)) {
    if (values.length > 1) issues.add(place, 'null cannot stand in a list')
    return { cost: 0, test: value => value === undefined }
  }
  const odd = values.find(value => typeof value === 'object')
  if (odd !== undefined) issues.add(place, 'a value must be text, a number, true or false')
  const numbers = values.filter(value => typeof value === 'number')
  if (shape === 'equals' && numbers.length === values.length && wanted === 'any') {
    const same = new Set<FieldValue>(numbers)
    return { cost: 0, test: value => same.has(typeof value === 'string' ? Number(value) : value) }
  }
  const texts = values.map(value => fold(String(value)))
  if (texts.some(text => text === '' && shape !== 'equals'))
    issues.add(place, 'an empty text is in every text')
  const plain = texts.filter(text => !hasWildcard(text)).map(unquote)
  const wild = texts.filter(hasWildcard)
  const tests: ValueTest[] = []
  if (wanted === 'every') for (const text of plain) tests.push(plainTest([text], shape, fold))
  else if (plain.length > 0) tests.push(plainTest(plain, shape, fold))
  for (const pattern of wild) tests.push(wildTest(pattern, shape, fold))
  return combine(tests, wanted)
}

function plainTest(words: readonly string[], shape: Shape, fold: (text: string) => string): ValueTest {
  const [only = ''] = words
  const wordsFound = words.includes('') ? undefined : words
  const folded = (holds: (text: string) => boolean): ValueTest['test'] => testOf(text => holds(fold(text)))
  if (shape === 'equals') {
    const set = new Set(words)
    return { cost: 1, words: wordsFound, test: folded(text => set.has(text)) }
  }
  if (shape === 'startswith' || shape === 'endswith') {
    const affixes = new AffixSet(words, shape)
    return { cost: 2 + words.length / 8, words: wordsFound, test: folded(text => affixes.has(text)) }
  }
  if (words.length === 1) return { cost: 3, words: wordsFound, test: folded(text => text.includes(only)) }
  const set = new WordSet(words)
  return { cost: 8, words: wordsFound, test: folded(text => set.has(text)) }
}

/** Longer texts are looked at as far as this: paths and agents are never that long. */
const MAX_WILDCARD_INPUT = 4_096

function wildTest(pattern: string, shape: Shape, fold: (text: string) => string): ValueTest {
  const before = shape === 'contains' || shape === 'endswith' ? '*' : ''
  const after = shape === 'contains' || shape === 'startswith' ? '*' : ''
  const wildcard = new WildcardPattern(`${before}${pattern}${after}`)
  return {
    cost: 10,
    words: wildcard.longestWord === '' ? undefined : [wildcard.longestWord],
    test: testOf(text => wildcard.matches(fold(text).slice(0, MAX_WILDCARD_INPUT))),
  }
}

/** The test of a value from that of a text, made once: it is asked for nearly every request. */
function testOf(holds: (text: string) => boolean): ValueTest['test'] {
  return value => {
    if (typeof value === 'string') return holds(value)
    if (value === undefined) return false
    return typeof value === 'object' ? value.some(text => holds(text)) : holds(String(value))
  }
}

/** The reader of a field, or an issue that suggests the nearest name. */
export function readerOrIssue(
  field: string,
  place: string,
  issues: RuleIssues,
  names: readonly string[],
): ReturnType<typeof fieldReader> {
  const reader = fieldReader(field)
  if (reader === undefined) {
    const near = names.find(name => name.toLowerCase().includes(field.toLowerCase().replace(/^.*[.-]/, '')))
    issues.add(
      `${place}.${field}`,
      'is not a field of Postern’s events',
      near === undefined ? 'see docs/scenarios.md for the fields' : `did you mean "${near}"?`,
    )
  }
  return reader
}
