import { dispositionParameters, namesFile } from './content-disposition.ts'

const DISPOSITION = /^[ \t]*content-disposition[ \t]*:[^\r\n]{0,1024}/gim
/** Also `name*=utf-8''_method`, for some parsers read it (RFC 5987); never `filename=`. */
const NAME =
  /[;\s]name(?:\*?[ \t]{0,8}=[ \t]{0,8})(?:[\w-]{0,20}'[\w-]{0,20}')?(?:"((?:[^"\\\r\n]|\\.){0,256})"|([^";\r\n]{0,256}))/gi
const EMPTY_LINE = /\r?\n\r?\n/
/** Characters of a part's headers, from the one with its name on. */
const MAX_PART_HEAD = 8_192
const MAX_PARTS = 10_000

/**
 * Names and texts of the parts of a multipart form (RFC 7578), whatever the boundary is said to be: every
 * line that names a field counts, and a text goes to the end of its line. For checks that must not miss a
 * field which some parser finds; what it gives may be no field at all. One pass, 10,000 parts at most.
 * @param parts `fields` leaves out what names a file: backends hand such parts to nobody who reads fields
 */
export function multipartTexts(
  text: string,
  parts: 'all' | 'fields' = 'all',
): readonly (readonly [name: string, value: string])[] {
  const found: (readonly [string, string])[] = []
  const lines = new RegExp(DISPOSITION)
  for (let match = lines.exec(text); match !== null; match = lines.exec(text)) {
    const empty = EMPTY_LINE.exec(text.slice(lines.lastIndex, lines.lastIndex + MAX_PART_HEAD))
    if (empty === null || (parts === 'fields' && namesFile(dispositionParameters(match[0])))) continue
    const start = lines.lastIndex + empty.index + empty[0].length
    const end = text.indexOf('\n', start)
    const value = text.slice(start, end < 0 ? undefined : end)
    for (const [, quoted, bare = ''] of match[0].matchAll(NAME)) {
      if (found.length >= MAX_PARTS) return found
      found.push([quoted ?? bare.trim(), value.trimEnd()])
    }
    lines.lastIndex = start + value.length
  }
  return found
}
