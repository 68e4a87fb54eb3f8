import type { Pausing } from '../canonicalise/in-parts.ts'
import { decodeText } from '../canonicalise/text.ts'
import { fetchedByProlog } from '../lex/xml-fetch.ts'
import { prologOf } from '../lex/xml-prolog.ts'
import type { Steps } from '../value/steps.ts'
import { fetchedByElements } from './fetched-by-elements.ts'

/** Bytes of a document that are read first, then of its prolog while that goes on, and at most. */
const FIRST = 8_192
const GROWTH = 4
export const MOST_OF_DOCUMENT = 131_072
/** What was read of a document. */
export interface ReadDocument {
  /**
   * What has a parser of XML fetch something, or grow without end; undefined where nothing does. Written so
   * that the rules about documents find it.
   */
  readonly fetched: string | undefined
  /** Whether its prolog goes on where reading ends. */
  readonly isEndless: boolean
}

const NOTHING_READ: ReadDocument = { fetched: undefined, isEndless: false }

/** Whether the start of a text is markup, or what has not begun yet. */
export function isDocumentStart(text: string): boolean {
  return DOCUMENT_START.test(text)
}

/** As much of a value as is read of it as a document, and whether it goes on. */
export function startOf(text: string): Buffer {
  return Buffer.from(text.slice(0, MOST_OF_DOCUMENT + 1))
}

const DOCUMENT_START = /^[\ufeff\s]*(?:<|$)/

/** Reads the start of a file as a document of XML: its prolog, and what its elements open. */
export function* readDocument(bytes: Uint8Array, driver: Pausing): Steps<ReadDocument> {
  let size = FIRST
  let text = decodeText(bytes.subarray(0, size), '')
  if (!isDocumentStart(text)) return NOTHING_READ
  let prolog = prologOf(text)
  driver.work(text.length)
  while (!prolog.isComplete && size < bytes.length && size < MOST_OF_DOCUMENT) {
    if (driver.isPaused) yield
    size *= GROWTH
    text = decodeText(bytes.subarray(0, size), '')
    prolog = prologOf(text)
    driver.work(text.length)
  }
  const isEndless = !prolog.isComplete && bytes.length > MOST_OF_DOCUMENT
  const declared = prolog.text.toLowerCase()
  const fetched = fetchedByProlog(declared)
  if (fetched !== undefined) return { fetched, isEndless }
  if (driver.isPaused) yield
  const elements = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return { fetched: yield* fetchedByElements(elements, prolog.text, driver), isEndless }
}
