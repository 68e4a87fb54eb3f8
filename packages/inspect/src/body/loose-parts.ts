import { dispositionParameters } from '@postern/core'
import type { Steps } from '../value/steps.ts'
import { at, type ValueVisitor } from '../value/value-visitor.ts'
import { valuesOf } from './disposition-values.ts'

/** Parts of one body, and characters of the head of one. */
export const MAX_PARTS = 1_000
export const MAX_PART_HEADERS = 8_192
const LOOSE_HEAD = /content-disposition[ \t]{0,8}:([^\r\n]{0,2048})/gi
/** An empty line, in any mixture of line ends. */
export const EMPTY_LINE: RegExp = /(?:\r\n|\n|\r(?!\n))[ \t]{0,64}(?:\r\n|\n|\r(?!\n))/g
const NAMED = /[;\s,]name\b/i

/**
 * Visits what a parser may take for the value of a field wherever a `Content-Disposition` stands: parsers
 * differ in where a delimiter, a head and a value end (Django reads what stands before the first delimiter,
 * and delimiters inside a line). To the next line that begins with `--`, and on to the next head.
 * @returns false to end the walk
 */
export function* visitLooseParts(bytes: Buffer, visitor: ValueVisitor): Steps<boolean> {
  let head: LooseHead | undefined
  let count = 0
  for (const next of looseHeads(bytes)) {
    if (visitor.isPaused) yield
    if (next === undefined) {
      visitor.work(SEARCHED >> 6)
      continue
    }
    if (head !== undefined) {
      const told = yield* tellLoose(head, bytes.subarray(head.end, next.start), visitor)
      if (told === 'ended') return false
      if (told === 'told' && ++count === MAX_PARTS) {
        visitor.tooBig('bounds/parts', 'body', `more than ${MAX_PARTS} parts`)
        return false
      }
    }
    head = next
  }
  return head === undefined || (yield* tellLoose(head, bytes.subarray(head.end), visitor)) !== 'ended'
}

interface LooseHead {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly disposition: string
}

/** Bytes that are searched for heads at a time, and the longest head. */
const SEARCHED = 65_536
const LONGEST_HEAD = 2_112

/** What may be the head of a part; undefined where a walk may pause. */
function* looseHeads(bytes: Buffer): Generator<LooseHead | undefined> {
  for (let from = 0; from < bytes.length; ) {
    const text = bytes.toString('latin1', from, from + SEARCHED + LONGEST_HEAD)
    const heads = new RegExp(LOOSE_HEAD)
    let next = from + SEARCHED
    for (let head = heads.exec(text); head !== null && head.index < SEARCHED; head = heads.exec(text)) {
      const end = from + heads.lastIndex
      yield { start: from + head.index, end, text: head[0], disposition: head[1] ?? '' }
      next = Math.max(next, end)
    }
    from = next
    if (from < bytes.length) yield undefined
  }
}

/** @param content from behind the head up to the next */
function* tellLoose(
  head: LooseHead,
  content: Buffer,
  visitor: ValueVisitor,
): Steps<'told' | 'unnamed' | 'ended'> {
  const behind = content.toString('latin1')
  visitor.work(behind.length >> 6)
  if (visitor.isPaused) yield
  const empty = new RegExp(EMPTY_LINE).exec(behind.slice(0, MAX_PART_HEADERS))
  // The attachments of a stored mail have no name, and name no field.
  if (!NAMED.test(head.text) && !NAMED.test(behind.slice(0, empty?.index ?? MAX_PART_HEADERS)))
    return 'unnamed'
  const value = behind.slice(empty === null ? 0 : empty.index + empty[0].length)
  const parameters = dispositionParameters(head.disposition)
  const locator = at(`body.${(valuesOf(parameters, /^name$/)[0] ?? '').slice(0, 64)}`)
  for (const text of [...valuesOf(parameters, /name\b/), value])
    if (!visitor.value(text, 'form', locator)) return 'ended'
  if (visitor.isPaused) yield
  const shorter = beforeDashes(value)
  return shorter === value || visitor.value(shorter, 'form', locator) ? 'told' : 'ended'
}

function beforeDashes(value: string): string {
  return value.slice(0, /[\r\n]-|--/.exec(value)?.index ?? value.length)
}
