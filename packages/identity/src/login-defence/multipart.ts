import { boundariesOf } from '@postern/core'

/**
 * Names and texts of a `multipart/form-data` body (RFC 7578); files count with their text.
 * Undefined when it cannot be read in one way only: no boundary or several, a missing end, a part without
 * a plain quoted name, or too many parts.
 */
export function multipartFields(
  text: string,
  type: string,
  max: number,
): readonly (readonly [string, string])[] | undefined {
  const [boundary, another] = boundariesOf(type)
  if (boundary === undefined || another !== undefined) return undefined
  const delimiter = `--${boundary}`
  const parts = `\r\n${text}`.split(`\r\n${delimiter}`, max + 2)
  const last = parts.pop()
  if (last === undefined || !/^--\s*$/.test(last) || parts.length > max || parts[0]?.trim() !== '')
    return undefined
  const fields: (readonly [string, string])[] = []
  for (const part of parts.slice(1)) {
    const end = part.indexOf('\r\n\r\n')
    if (!part.startsWith('\r\n') || end < 0) return undefined
    const head = part.slice(0, end)
    const names = [...head.matchAll(/\r\ncontent-disposition:[^\r\n]*?;\s*name="([^"\\\r\n]*)"/gi)]
    // `name*` and a second disposition are read differently by different parsers.
    if (names.length !== 1 || /name\*\s*=/i.test(head) || /content-transfer-encoding/i.test(head))
      return undefined
    fields.push([names[0]?.[1] ?? '', part.slice(end + 4)])
  }
  return fields
}
