import { codedDocument, holdsArchive, visitCodedArchive, visitDocument } from '../body/archived-documents.ts'
import { isDocumentStart, startOf } from '../body/fetched-by-file.ts'
import { isGraphql, visitGraphql } from '../body/graphql.ts'
import { isJson, startsLikeJson, visitJson } from '../body/json.ts'
import type { Look } from '../text/look.ts'
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

/** Values of one request that hold a file: an archive in base64, or a document longer than a window. */
export class FileValues {
  /** The last such document: parsers of multipart differ, and get the same one. */
  #last = ''

  /** What is left to visit of the file that a value holds; undefined where it holds none. */
  stepsOf(look: Look, visitor: ValueVisitor): Steps<unknown> | undefined {
    const { text, place, locator } = look
    if (place === 'name') return undefined
    if (holdsArchive(text)) {
      look.isPlaceAsked = true
      look.isVisited = true
      return visitCodedArchive(text, locator.location(), visitor)
    }
    if (text.length <= THRESHOLDS.window || text === this.#last) return undefined
    this.#last = text
    const document = isDocumentStart(text) ? startOf(text) : codedDocument(text)
    if (document !== undefined) visitDocument(document, locator.location(), visitor)
    return undefined
  }
}
