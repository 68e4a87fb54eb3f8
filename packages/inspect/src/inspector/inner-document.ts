import { mayBeRead, visitDocument, visitFile } from '../body/archived-documents.ts'
import { isDocumentStart, startOf } from '../body/fetched-by-file.ts'
import { isGraphql, visitGraphql } from '../body/graphql.ts'
import { isJson, startsLikeJson, visitJson } from '../body/json.ts'
import { codedFiles, longCodedFiles } from '../canonicalise/coded-file.ts'
import { LONGEST_AT_ONCE } from '../text/long-text.ts'
import type { Look } from '../text/look.ts'
import { CHAR } from '../value/features.ts'
import type { Steps } from '../value/steps.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import type { ValueVisitor } from '../value/value-visitor.ts'

/** How a document inside a value is walked. */
interface Walk {
  /** Whether it lies inside of so many others that it is passed over: where it lies higher it is read. */
  readonly isTooDeep: boolean
  readonly depth: number
  readonly visitor: ValueVisitor
}

/**
 * The values of a JSON or GraphQL document inside a value. Where it is JSON to the last character, all that a
 * sender can write in it stands in its strings: around them only what reads its structure is left to find.
 * @returns undefined where there is no document, or none that was not read already
 */
export function documentIn(
  text: string,
  look: Look,
  { isTooDeep, depth, visitor }: Walk,
): Steps<unknown> | undefined {
  const { locator, place } = look
  look.isPlaceAsked = true
  if (place === 'name') return undefined
  if (isTooDeep) {
    look.isVisited = true
    return undefined
  }
  const isQuery = isGraphql(text) && look.name === 'query'
  if (!isQuery && !startsLikeJson(text)) return undefined
  look.isVisited = true
  if (!isQuery && isJson(text) && !look.meets(text)) return undefined
  const location = locator.location()
  return isQuery
    ? visitGraphql(text, location, visitor, place)
    : visitJson(text, location, depth, visitor, look.inside)
}

/** What a value of base64, with the name before it, does not hold. */
const FOREIGN = CHAR.less | CHAR.greater | CHAR.brace

/** Values of one request that hold a file: in base64, or as a document longer than a window. */
export class FileValues {
  /** The last such value: parsers of multipart differ, and get the same one. */
  #last: { readonly text: string; readonly location: string } | undefined

  /** What is left to visit of the file that a value holds; undefined where it holds none. */
  stepsOf(look: Look, visitor: ValueVisitor): Steps<unknown> | undefined {
    const { text, place, locator, scanned } = look
    if (place === 'name' || (text === this.#last?.text && locator.location() === this.#last.location))
      return undefined
    if (text.length > THRESHOLDS.window && isDocumentStart(text)) {
      this.#last = { text, location: locator.location() }
      return visitDocument(startOf(text), locator.location(), visitor)
    }
    if (scanned !== undefined && ((scanned.chars & CHAR.base64) === 0 || (scanned.chars & FOREIGN) !== 0))
      return undefined
    return text.length > LONGEST_AT_ONCE ? this.#visitLong(look, visitor) : this.#visitCoded(look, visitor)
  }

  #visitCoded(look: Look, visitor: ValueVisitor): Steps<unknown> | undefined {
    const coded = codedFiles(look.text)
    if (coded.length > 0) visitor.work(look.text.length >> 4)
    const files = coded.filter(mayBeRead)
    if (files.length === 0) return undefined
    look.isPlaceAsked = true
    look.isVisited = true
    const location = look.locator.location()
    this.#last = { text: look.text, location }
    return visitFiles(files, location, visitor)
  }

  /** Decoding takes several steps. */
  *#visitLong(look: Look, visitor: ValueVisitor): Steps {
    const { text } = look
    const location = look.locator.location()
    for (const file of longCodedFiles(text, visitor)) {
      if (visitor.isPaused) yield
      if (file === undefined || !mayBeRead(file)) continue
      this.#last = { text, location }
      if (!(yield* visitFile(file, location, visitor))) return
    }
  }
}

function* visitFiles(files: readonly Buffer[], location: string, visitor: ValueVisitor): Steps {
  for (const file of files) if (!(yield* visitFile(file, location, visitor))) return
}
