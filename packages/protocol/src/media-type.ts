/**
 * The essence of a `Content-Type` (`type/subtype`, lower case) and its charset, or
 * undefined when it is invalid.
 */
export interface MediaType {
  readonly essence: string
  readonly charset: string | undefined
}

const ESSENCE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/

/** What pages write that took the name of a format for its type (jQuery's `contentType: 'json'`). */
const JSON_BY_NAME = 'json'

/**
 * Reads a `Content-Type` (RFC 9110 section 8.3.1); strict on the essence, undefined when it cannot be read.
 */
export function parseMediaType(value: string): MediaType | undefined {
  const [head = '', ...parameters] = value.split(';', 20)
  const written = head.trim().toLowerCase()
  const essence = written === JSON_BY_NAME ? 'application/json' : written
  if (!ESSENCE.test(essence)) return undefined
  let charset: string | undefined
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=')
    if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== 'charset') continue
    const text = parameter
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase()
    if (charset !== undefined && charset !== text) return undefined
    charset = text
  }
  return { essence, charset }
}

/** Whether a media type matches one of the declared ones, where `image/*` matches all images. */
export function acceptsMediaType(declared: readonly string[], essence: string): boolean {
  return declared.some(pattern => {
    const wanted = pattern.toLowerCase()
    return wanted.endsWith('/*') ? essence.startsWith(wanted.slice(0, -1)) : wanted === essence
  })
}

/**
 * Whether every parser reads ASCII attacks the same way in this charset. UTF-7, UTF-16, EBCDIC and similar
 * charsets hide them from a reader of the bytes.
 */
export function isPlainCharset(charset: string | undefined): boolean {
  return (
    charset === undefined ||
    /^(?:utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d|gbk|gb2312|gb18030|big5|euc-(?:jp|kr)|shift_jis|koi8-[ru])$/.test(
      charset,
    )
  )
}
