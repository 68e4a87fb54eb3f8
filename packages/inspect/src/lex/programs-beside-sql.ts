import type { SqlGrammar } from './sql-grammar.ts'
import { wordAt } from './sql-shapes.ts'
import { TOKEN } from './sql-tokens.ts'

/** Conditions behind a quote that are of a program, and that no database understands. */

const TEST_ENDS = /\][ \t]{1,4}$/
const TEST_BEGINS = /^[ \t\\\n]{1,16}\[ /
const LONGEST_GAP = 20

/** What joins two tests of a shell: `[ "$a" = "" ] && [ "$b" != "x" ]`. */
export function isShellTest(sql: SqlGrammar, i: number): boolean {
  const start = sql.starts[i] as number
  const end = sql.ends[i] as number
  const before = sql.source.slice(Math.max(0, start - LONGEST_GAP), start)
  return TEST_ENDS.test(before) && TEST_BEGINS.test(sql.source.slice(end, end + LONGEST_GAP))
}

/** What an attack compares by `===`, where its query is JavaScript. */
const CONSTANT = /^(?:true|false|null|this|not|undefined)$/

/**
 * A comparison with a member or a variable by `===` or `!==`, which no database knows:
 * `"asc" !== list.order`, `type === "a"`.
 */
export function isOfScript(sql: SqlGrammar, from: number, to: number): boolean {
  let isStrict = false
  let isNamed = sql.kindAt(from) === TOKEN.word && !CONSTANT.test(wordAt(sql, from))
  for (let at = from; at < to; at++) {
    const kind = sql.kindAt(at)
    if (kind === TOKEN.dot) isNamed = true
    if (kind !== TOKEN.compare && kind !== TOKEN.word) continue
    const text = sql.source.slice(sql.starts[at], sql.ends[at])
    if (kind === TOKEN.word) isNamed ||= text.includes('.')
    else isStrict ||= text === '===' || text === '!=='
  }
  return isStrict && isNamed
}

/**
 * Where what a test compares with ends; negative when that is not an expression of SQL. `"a" in name`: every
 * database wants a bracket there, and Python and JavaScript ask so what a text holds.
 */
export function testedEnd(sql: SqlGrammar, at: number): number {
  return wordAt(sql, at) === 'in' && sql.kindAt(at + 1) !== TOKEN.open ? -1 : sql.expression(at + 1)
}

/** `state eq 'OR'`: a word alone between the quotes that it stands next to, at the end of the value. */
export function isWord(sql: SqlGrammar, word: number, quote: number): boolean {
  const isNextToIt = sql.starts[word] === sql.ends[word - 1] && sql.starts[quote] === sql.ends[word]
  return isNextToIt && (sql.ends[quote] as number) >= sql.source.trimEnd().length
}
