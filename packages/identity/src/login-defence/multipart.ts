import { boundariesOf } from '@postern/core'

/** A disposition that all parsers read alike: a name first, and at most the name of a file behind it. */
const DISPOSITION =
  /^content-disposition:[ \t]*form-data;\s*name="([^"\\]*)"(?:;\s*filename="[^"\\]*")?(?:;\s*filename\*=[\w%'.!#$&+^`|~-]+)?;?\s*$/i
/** A type with another charset, in which a value is another text. */
const OTHER_CHARSET = /content-type.{0,200}charset(?!\s*=\s*"?(?:utf-?8|us-ascii)\b)/i

/**
 * Names and texts of a `multipart/form-data` body (RFC 7578); files count with their text.
 * Undefined when it cannot be read in one way only: no boundary or several, a missing end, a part without
 * a plain quoted name, too many parts, or what some parsers take for a delimiter or a header and some do not.
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
    const field = part.includes(delimiter) ? undefined : fieldIn(part)
    if (field === undefined) return undefined
    fields.push(field)
  }
  return fields
}

function fieldIn(part: string): readonly [string, string] | undefined {
  const end = part.indexOf('\r\n\r\n')
  if (!part.startsWith('\r\n') || end < 0) return undefined
  const lines = part
    .slice(2, end)
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
  // A line end of another kind ends a header to some parsers only.
  if (lines.some(line => /[\r\n\0]/.test(line) || OTHER_CHARSET.test(line))) return undefined
  if (lines.some(line => /^content-transfer-encoding/i.test(line))) return undefined
  const [disposition, second] = lines.filter(line => /content-disposition/i.test(line))
  const name = second === undefined ? DISPOSITION.exec(disposition ?? '')?.[1] : undefined
  return name === undefined ? undefined : [name, part.slice(end + 4)]
}
