import type { PatternRule, Span } from '../rule/rule.ts'
import type { Reading } from '../value/reading.ts'

/** Matches of one rule in one text that are looked at; of more the last one counts. */
const MOST_MATCHES = 16

const OPENINGS: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
])

/**
 * The first match that does not begin with a bracket which the value itself opened. What breaks out of a
 * filter or a predicate closes a bracket of the program's; in `CC(C)(C=O)C` each bracket closes its own. An
 * opening bracket in front cannot hide an attack: where a value stands, no filter takes one (RFC 4515
 * section 3).
 */
export function unopened(rule: PatternRule, reading: Reading): Span | undefined {
  const first = rule.find(reading)
  if (first === undefined || !isOpened(reading.lower, first.start)) return first
  const expression = new RegExp(rule.expression.source, 'g')
  expression.lastIndex = first.start + 1
  let last = first
  for (let matches = 1; matches < MOST_MATCHES; matches++) {
    const found = expression.exec(reading.lower)
    if (found === null) return undefined
    last = { start: found.index, end: found.index + found[0].length }
    if (!isOpened(reading.lower, found.index)) return last
    expression.lastIndex = found.index + 1
  }
  return last
}

/** Whether a closing bracket closes one that the text opened, with every quote before it closed. */
function isOpened(text: string, at: number): boolean {
  const close = text[at] as string
  const open = OPENINGS.get(close)
  if (open === undefined) return false
  let depth = 0
  let singles = 0
  let doubles = 0
  for (let i = 0; i < at; i++) {
    const sign = text[i]
    if (sign === open) depth++
    else if (sign === close) {
      // One that closed nothing has already broken out.
      if (depth === 0) return false
      depth--
    } else if (sign === "'") singles++
    else if (sign === '"') doubles++
  }
  return depth > 0 && singles % 2 === 0 && doubles % 2 === 0
}
