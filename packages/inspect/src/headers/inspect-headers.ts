import { visitForm } from '../body/form.ts'
import { isBase64Value } from '../canonicalise/base64.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import type { Inspector } from '../inspector/inspector.ts'
import { isFileName, isInternalHeader } from '../request/header-names.ts'
import { at } from '../value/value-visitor.ts'

const MAX_HEADER_NAME = 256

/** Looks at headers. @param found names and values in turn */
export function inspectHeaders(found: readonly string[], inspector: Inspector): void {
  for (let i = 0; i + 1 < found.length; i += 2)
    inspectHeader(found[i] as string, found[i + 1] as string, inspector)
}

/** Looks at one header. */
export function inspectHeader(sent: string, value: string, inspector: Inspector): void {
  const name = sent.toLowerCase()
  if (name.length > MAX_HEADER_NAME) {
    inspector.tooBig('bounds/header-name', `header.${name.slice(0, 32)}`, 'a header name this long')
    return
  }
  if (name === 'cookie') {
    inspectCookies(value, inspector)
    return
  }
  if (isFileName(name)) {
    inspector.value(value, 'file-name', at(`header.${name}`))
    return
  }
  // Of `Connection`, only a list that takes fields away which say who asks comes here.
  if (isInternalHeader(name) || name === 'connection') {
    inspector.add({
      rule: 'probe/internal-header',
      family: 'probe',
      location: `header.${name}`,
      score: 5,
      span: name,
    })
  }
  if (name.endsWith('authorization') && inspectCredentials(value, inspector)) return
  const asked = isPageAddress(name) ? value.indexOf('?') : -1
  const isPlain = asked >= 0 && PLAIN_ADDRESS.test(value)
  inspector.value(isPlain ? value.slice(0, asked) : value, 'header', at(`header.${name}`))
  if (asked >= 0)
    inspector.visit(
      visitForm(value.slice(asked + 1), `header.${name}`, 'header', inspector),
      `header.${name}`,
    )
}

/**
 * An address as browsers write it: every quote, space, bracket of markup, semicolon and brace in it is
 * escaped. Whoever uses the header as it is finds nothing in it that breaks out, and who undoes the escapes
 * takes the query apart first, so its values are read under their names and not as one text: a page that
 * was asked for `q="a" OR "b"` is named by all of its pictures and styles.
 */
const PLAIN_ADDRESS = /^https?:\/\/[\w.:-]{1,255}\/[\w%.~!*(),:@/?&=+[\]$-]*$/

/** Whether a header names the page that sent the request. */
function isPageAddress(name: string): boolean {
  return name === 'referer' || name === 'hx-current-url'
}

/** RFC 7617 section 2: neither a name nor a password has control characters. */
const LINE_END = /[\r\n]\s{0,4}\S/

/**
 * Basic credentials (RFC 7617): a name, and behind it a password, which is weighed as one in a form is.
 * @returns whether the value is nothing else
 */
function inspectCredentials(value: string, inspector: Inspector): boolean {
  const coded = /^basic {1,4}([\w+/=-]{1,2048})$/i.exec(value)?.[1]
  if (coded === undefined) return false
  const credentials = Buffer.from(coded, 'base64').toString()
  if (LINE_END.test(credentials)) {
    inspector.add({
      rule: 'crlf/credentials',
      family: 'crlf',
      location: 'header.authorization',
      score: 5,
      span: 'a line end in Basic credentials',
    })
  }
  const colon = credentials.indexOf(':')
  const name = colon < 0 ? credentials : credentials.slice(0, colon)
  inspector.value(name, 'header', at('header.authorization'))
  if (colon >= 0) inspector.value(credentials.slice(colon + 1), 'form', at('header.authorization.password'))
  return true
}

function inspectCookies(header: string, inspector: Inspector): void {
  inspector.weighAction(header.includes('%') ? decodeUrl(header.replace(/[;=]/g, ' '), false) : '')
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    const name = (equals < 0 ? pair : pair.slice(0, equals)).trim()
    if (!inspector.clears(name, 'name')) inspector.look(name, 'name', at(`cookie.${name.slice(0, 64)}#name`))
    if (equals >= 0) inspectCookie(name, pair.slice(equals + 1).trim(), inspector)
  }
  if (header.includes('"')) inspectQuotedCookies(header, inspector)
}

/** The value of a cookie, as sent and as the readers of cookies turn it into others. */
function inspectCookie(name: string, value: string, inspector: Inspector): void {
  const place = at(`cookie.${name.slice(0, 64)}`)
  if (!inspector.clears(value, 'cookie')) inspector.look(value, 'cookie', place)
  if (value.includes('+') && mayBeWords(value)) inspector.value(value.replaceAll('+', ' '), 'cookie', place)
  // Django and Werkzeug undo the escapes between the outer quotes, whatever stands between them.
  if (value.startsWith('"') && value.endsWith('"') && value.includes('\\'))
    inspector.value(unescaped(value.slice(1, -1)), 'cookie', place)
  // `cookie-parser` of Express reads what stands behind this as JSON.
  const json = /^(?:j:|j%3a)/i.exec(value)?.[0]
  if (json !== undefined) inspector.value(value.slice(json.length), 'cookie', place)
  if (value.includes(',')) inspectCommaCookies(value, inspector)
}

/** Pairs behind a comma, which ends a cookie for Plack and whoever follows RFC 2109 section 4.1. */
function inspectCommaCookies(value: string, inspector: Inspector): void {
  for (const pair of value.split(',').slice(1)) {
    const equals = pair.indexOf('=')
    if (equals < 0) continue
    const name = pair.slice(0, equals).trim()
    inspector.value(name, 'name', at(`cookie.${name.slice(0, 64)}#name`))
    inspector.value(pair.slice(equals + 1).trim(), 'cookie', at(`cookie.${name.slice(0, 64)}`))
  }
}

const WORD_BETWEEN = /(?:^|\+)[a-z]{2,12}(?=\+|$)/gi

/**
 * Whether the plus signs of a cookie may be spaces, as PHP and Rack read them, where a look at it has not
 * read them so: beside other spaces, or between two words of what looks like base64. Between random letters
 * they are base64.
 */
function mayBeWords(value: string): boolean {
  if (/[ \t]/.test(value)) return true
  return isBase64Value(value) && (value.match(WORD_BETWEEN)?.length ?? 0) >= 2
}

/** Where a value in quotes may start: alone, or behind a name. */
const QUOTED_START = /(?:^|[=;,])\s{0,64}"/g

/**
 * Values in quotes as Python, Java and Ruby read them: a semicolon does not end them, and `\074` is a
 * character (RFC 2109 section 4.1; http.cookies of Python). Django takes one without a name too.
 */
function inspectQuotedCookies(header: string, inspector: Inspector): void {
  for (const opened of header.matchAll(QUOTED_START)) {
    const start = opened.index + opened[0].length
    const end = closingQuote(header, start)
    if (end < 0) return
    const quoted = header.slice(start, end)
    // What fills the whole cookie was looked at with its quotes.
    if (!/[;\\]/.test(quoted) && /^\s{0,64}(?:;|$)/.test(header.slice(end + 1, end + 66))) continue
    const name = header.slice(header.lastIndexOf(';', opened.index) + 1, opened.index).trim()
    if (!inspector.value(unescaped(quoted), 'cookie', at(`cookie.${name.slice(0, 64)}`))) return
  }
}

function closingQuote(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return -1
}

function unescaped(quoted: string): string {
  return quoted.replace(/\\(?:([0-3][0-7]{2})|(.))/g, (_, octal?: string, char?: string) =>
    octal === undefined ? (char ?? '') : String.fromCharCode(Number.parseInt(octal, 8)),
  )
}
