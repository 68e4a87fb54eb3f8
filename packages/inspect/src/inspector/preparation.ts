import { DecodingWalk } from '../canonicalise/decoding-walk.ts'
import { readLongText } from '../text/long-text.ts'
import type { Look } from '../text/look.ts'
import { readableText } from '../text/readable-text.ts'
import type { Steps } from '../value/steps.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import { settingOf } from '../value/value-setting.ts'
import type { ValueVisitor } from '../value/value-visitor.ts'
import type { FileValues } from './inner-document.ts'

/** What preparing a long value costs besides decoding it, in characters that are decoded: one of so many. */
const PREPARED = 4

/** Who walks what lies inside of a value. */
export interface Preparing extends ValueVisitor {
  /** Visits the values of a document, now or when what is before it is done. */
  visit(steps: Steps<unknown>, location: string): void
  /** Walks a JSON or GraphQL document that a value is. */
  lookInside(text: string, look: Look): void
}

/** Finds out what is to be read of a value; the look gets a walk over it unless there is nothing. */
export function prepare(look: Look, files: FileValues, visitor: Preparing): void {
  const file = files.stepsOf(look, visitor)
  if (file !== undefined) visitor.visit(file, look.locator.location())
  readFrom(look, readableText(look.text, look.place, look.scanned), visitor)
}

/** As `prepare`, of a value longer than `LONGEST_AT_ONCE`. */
export function* prepareLong(look: Look, files: FileValues, visitor: Preparing): Steps {
  const { text, place } = look
  const file = files.stepsOf(look, visitor)
  if (file !== undefined) visitor.visit(file, look.locator.location())
  visitor.work(text.length >> PREPARED)
  if (visitor.isPaused) yield
  const value = yield* readLongText(text, place, visitor)
  visitor.work(text.length >> PREPARED)
  if (visitor.isPaused) yield
  readFrom(look, value, visitor)
}

function readFrom(look: Look, value: string | undefined, visitor: Preparing): void {
  const { text, place } = look
  if (value === undefined) return
  if (text.length > THRESHOLDS.window && settingOf(text, place, look.name, undefined) !== 'document')
    visitor.lookInside(text, look)
  look.value = value
  look.walk = new DecodingWalk(value, look)
}
