import { dispositionParameters, namesFile } from './content-disposition.ts'

const DISPOSITION = /^[ \t]*content-disposition[ \t]*:/gim
/** Also `name*=utf-8''_method`, for some parsers read it (RFC 5987); never `filename=`. */
const NAME =
  /[;\s]name(?:\*?[ \t]{0,8}=[ \t]{0,8})(?:[\w-]{0,20}'[\w-]{0,20}')?(?:"((?:[^"\\\r\n]|\\.){0,256})"|([^";\r\n]{0,256}))/gi
const EMPTY_LINE = /\r?\n\r?\n/g
/** Names in a form. */
const MAX_NAMES = 10_000
/** Names before one text: a part has one, and a second where parsers shall read different ones. */
const MAX_NAMES_OF_TEXT = 16
/** Characters of a disposition that may say its part is a file: of a longer one not all is read. */
const MAX_FILE_DISPOSITION = 1_024

/**
 * Names and texts of the parts of a multipart form (RFC 7578), whatever the boundary is said to be: every
 * header that names a field counts, also one that goes on in the next line, and a text goes to the end of its
 * line. For checks that must not miss a field which some parser finds; what it gives may be no field at all.
 * One pass.
 * @param parts `fields` leaves out what names a file: backends hand such parts to nobody who reads fields
 * @returns undefined where there are more than 10,000 names, or more than 16 before one text: a check that
 * read some of them would miss the field behind them
 */
export function multipartTexts(
  text: string,
  parts: 'all' | 'fields' = 'all',
): readonly (readonly [name: string, value: string])[] | undefined {
  const found: (readonly [string, string])[] = []
  const headers = new RegExp(DISPOSITION)
  let behind = NO_TEXT
  let namesOfText = 0
  while (headers.exec(text) !== null) {
    const end = endOfHeader(text, headers.lastIndex)
    // Headers of one part, and lines that only look like one, have the next empty line in common.
    if (behind.headEnd < end) {
      const next = textBehind(text, end)
      if (next === undefined) break
      behind = next
      namesOfText = 0
    }
    const header = text.slice(headers.lastIndex, end).replace(/\r?\n/g, ' ')
    headers.lastIndex = end
    if (parts === 'fields' && isFile(header)) continue
    for (const [, quoted, bare = ''] of header.matchAll(NAME)) {
      if (found.length === MAX_NAMES || ++namesOfText > MAX_NAMES_OF_TEXT) return undefined
      found.push([quoted ?? bare.trim(), behind.value])
    }
  }
  return found
}

/** A text and the end of the head before it, where its empty line begins. */
interface PartText {
  readonly headEnd: number
  readonly value: string
}

const NO_TEXT: PartText = { headEnd: -1, value: '' }

/** The text behind the next empty line; undefined when there is none. */
function textBehind(text: string, from: number): PartText | undefined {
  const lines = new RegExp(EMPTY_LINE)
  lines.lastIndex = from
  const empty = lines.exec(text)
  if (empty === null) return undefined
  const start = lines.lastIndex
  const end = text.indexOf('\n', start)
  return { headEnd: empty.index, value: text.slice(start, end < 0 ? undefined : end).trimEnd() }
}

/** Where the line end of a header is: one that goes on begins its next line with white space (RFC 5322). */
function endOfHeader(text: string, from: number): number {
  let end = text.indexOf('\n', from)
  while (end >= 0 && (text[end + 1] === ' ' || text[end + 1] === '\t')) end = text.indexOf('\n', end + 1)
  if (end < 0) return text.length
  return text[end - 1] === '\r' ? end - 1 : end
}

function isFile(header: string): boolean {
  return header.length <= MAX_FILE_DISPOSITION && namesFile(dispositionParameters(header))
}
