import type { FieldReader, FieldValue } from './event-fields.ts'

/**
 * One thing without which a part of a rule cannot match: a value of a field that has few values (`values`),
 * or one of some words in the decoded target (`words`).
 */
export type Need =
  | {
      readonly kind: 'values'
      readonly field: string
      readonly read: FieldReader
      readonly holds: (value: FieldValue) => boolean
    }
  | { readonly kind: 'words'; readonly words: readonly string[] }

/**
 * A rule can match only an event that has at least one of these; undefined when nothing is known, so that it
 * is always asked.
 */
export type Needs = readonly Need[] | undefined

/**
 * Fields of few values, or of values that come again and again, with what an ordinary request has there: a
 * need that an ordinary request meets tells little.
 */
const ORDINARY: Readonly<Record<string, FieldValue>> = {
  type: 'http',
  decision: 'allow',
  observed: undefined,
  guard: undefined,
  rule: undefined,
  'request.method': 'GET',
  'request.version': '1.1',
  'request.referer': 'https://shop.example/products',
  'outcome.status': 200,
  'outcome.rows': undefined,
  'actor.key': undefined,
  'actor.agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
}

/** Whether answers about a field are worth keeping by its value. */
export function hasFewValues(field: string): boolean {
  return Object.hasOwn(ORDINARY, field) || field.startsWith('data.')
}

/** What a conjunction needs: the part that the fewest ordinary events fulfil. */
export function needsOfAll(parts: readonly Needs[]): Needs {
  let best: Needs
  for (const part of parts)
    if (part !== undefined && (best === undefined || ease(part) < ease(best))) best = part
  return best
}

/** What the contrary of a part needs; known only of a part that is one need and nothing else. */
export function needsOfNot(needs: Needs, isWhole: boolean): Needs {
  const [need] = needs ?? []
  if (!isWhole || need?.kind !== 'values') return undefined
  return [{ ...need, holds: value => !need.holds(value) }]
}

/**
 * What a disjunction needs: anything that one of its parts needs; nothing is known when that is so of one
 * part.
 */
export function needsOfAny(parts: readonly Needs[]): Needs {
  const all: Need[] = []
  for (const part of parts) {
    if (part === undefined) return undefined
    all.push(...part)
  }
  return all
}

/** How easily an ordinary event meets them: 0 never, 1 seldom, 2 always. */
function ease(needs: readonly Need[]): number {
  let worst = 0
  for (const need of needs) {
    const one = need.kind === 'words' ? 1 : need.holds(ORDINARY[need.field]) ? 2 : 0
    worst = Math.max(worst, one)
  }
  return worst
}
