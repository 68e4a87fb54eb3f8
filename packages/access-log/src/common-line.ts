import { known, type LogRecord, splitRequestLine } from './log-record.ts'
import { parseAnyTime } from './log-time.ts'
import { type WrittenClient, writtenClient } from './written-client.ts'

/** Characters between the time and the request: a duration, a host, the client in the logs of S3. */
const MAX_BETWEEN = 400

/**
 * A line of the common or combined format of Apache, nginx and Traefik, also with a virtual host in front,
 * fields between the time and the request, and any fields after it; undefined for any other line. One pass
 * over the characters, no regular expression, for lines of the usual form.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over the line; each step starts where the last one ended.
export function parseCommonLine(line: string): LogRecord | undefined {
  const open = timeStart(line)
  if (open <= 0) return undefined
  const close = line.indexOf(']', open)
  if (close < 0 || close - open > 40) return undefined
  const quote = line.indexOf(' "', close)
  if (quote < 0 || quote - close > MAX_BETWEEN) return undefined
  const time = parseAnyTime(line.slice(open + 1, close))
  if (Number.isNaN(time)) return undefined
  const requestEnd = closingQuote(line, quote + 2)
  if (requestEnd < 0) return undefined
  const request = splitRequestLine(undoEscapes(line, quote + 2, requestEnd))

  const statusEnd = fieldEnd(line, requestEnd + 2)
  const statusText = unquoted(line.slice(requestEnd + 2, statusEnd))
  const status = statusText === '-' ? 0 : Number(statusText)
  if (statusText === '' || !(status >= 0 && status <= 999)) return undefined
  const bytesEnd = fieldEnd(line, statusEnd + 1)
  const bytes = Number(unquoted(line.slice(statusEnd + 1, bytesEnd)))

  let referer: string | undefined
  let agent: string | undefined
  if (line.charCodeAt(bytesEnd + 1) === 0x22) {
    const refererEnd = closingQuote(line, bytesEnd + 2)
    if (refererEnd > 0) {
      referer = known(undoEscapes(line, bytesEnd + 2, refererEnd))
      const agentEnd = line.charCodeAt(refererEnd + 2) === 0x22 ? closingQuote(line, refererEnd + 3) : -1
      if (agentEnd > 0) agent = known(undoEscapes(line, refererEnd + 3, agentEnd))
    }
  }

  // Three words precede the time: address ident user. Where they are others, it is looked at closely.
  const first = line.indexOf(' ')
  const second = line.indexOf(' ', first + 1)
  const third = line.indexOf(' ', second + 1)
  const isUsual = third === open - 1 && second > first + 1 && isPlainAddress(line, first)
  const client = isUsual ? undefined : clientOf(line, open, close, quote)
  const address = client?.address ?? line.slice(0, Math.min(first, open - 1))
  const user = client === undefined ? known(line.slice(second + 1, open - 1)) : client.user
  // Assigned one by one: spreading them into the record took longer than reading the line.
  const record: { -readonly [Key in keyof LogRecord]: LogRecord[Key] } = {
    time,
    address,
    method: request.method,
    target: request.target,
    httpVersion: request.httpVersion,
    status,
    bytes: bytes >= 0 ? bytes : 0,
  }
  if (client?.forwardedFor !== undefined) Object.assign(record, { forwardedFor: client.forwardedFor })
  if (client?.host !== undefined) record.host = client.host
  if (user !== undefined) record.user = user
  if (referer !== undefined) record.referer = referer
  if (agent !== undefined) record.agent = agent
  return record
}

/** Whether the first word is an IPv4 address: digits and dots. */
function isPlainAddress(line: string, end: number): boolean {
  if (end < 7 || end > 15) return false
  for (let i = 0; i < end; i++) {
    const code = line.charCodeAt(i)
    if (code !== 0x2e && (code < 0x30 || code > 0x39)) return false
  }
  return true
}

/** Before the time, or as S3 writes it between the time and the request; else the first word, a host name. */
function clientOf(line: string, open: number, close: number, quote: number): WrittenClient | undefined {
  const before = line.slice(0, quotedTime(line, open) ? open - 2 : open - 1)
  return (
    writtenClient(before) ??
    writtenClient(line.slice(close + 1, quote)) ??
    namedClient(before.split(' ', MAX_NAMED_WORDS))
  )
}

const MAX_NAMED_WORDS = 8

/** Where a log holds names of clients in place of their addresses. */
function namedClient(words: readonly string[]): WrittenClient {
  const hasHost = words.length > 3
  const user = known(words.slice(hasHost ? 3 : 2).join(' '))
  return {
    address: words[hasHost ? 1 : 0] ?? '',
    ...(hasHost && { host: words[0] as string }),
    ...(user !== undefined && { user }),
  }
}

function quotedTime(line: string, open: number): boolean {
  return line.charCodeAt(open - 1) === 0x22
}

function unquoted(text: string): string {
  return text.charCodeAt(0) === 0x22 ? text.slice(1, -1) : text
}

const MAX_BRACKETS = 8

/**
 * Index of the bracket that opens the time: the first that a day of the month follows, or a date in ISO 8601
 * before the request. Others occur in process numbers, addresses and names.
 */
function timeStart(line: string): number {
  let at = line.indexOf('[')
  for (let i = 1; at >= 0 && i < MAX_BRACKETS && !opensTime(line, at); i++) at = line.indexOf('[', at + 1)
  return at
}

function opensTime(line: string, at: number): boolean {
  if (line.charCodeAt(at + 3) === 0x2f) return true
  return line.charCodeAt(at + 5) === 0x2d && line.startsWith('] "', line.indexOf(']', at))
}

function fieldEnd(line: string, from: number): number {
  const space = line.indexOf(' ', from)
  return space < 0 ? line.length : space
}

/** Index of the quote that ends a field, -1 when none does; `\"` and `\\` are characters of the field. */
function closingQuote(line: string, from: number): number {
  let at = line.indexOf('"', from)
  for (;;) {
    if (at < 0 || line.charCodeAt(at - 1) !== 0x5c) return at
    let slashes = 0
    while (at - 1 - slashes >= from && line.charCodeAt(at - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return at
    at = line.indexOf('"', at + 1)
  }
}

/** Undoes `\"`, `\\` and `\xhh`, which Apache and nginx write for what would break their lines. */
function undoEscapes(line: string, from: number, to: number): string {
  const text = line.slice(from, to)
  if (!text.includes('\\')) return text
  return text.replace(
    /\\(?:x([0-9a-f]{2})|(["\\]))/gi,
    (_, hex: string | undefined, char: string | undefined) =>
      hex === undefined ? (char ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
