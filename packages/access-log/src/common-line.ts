import { known, type LogRecord, splitRequestLine, withoutPort } from './log-record.ts'
import { parseCommonTime } from './log-time.ts'

/**
 * A line of the common or combined format of Apache, nginx and Traefik, also with a virtual host in front and any fields behind;
 * undefined when it is none. One pass over the characters, no expression.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over the line; each step starts where the last one ended.
export function parseCommonLine(line: string): LogRecord | undefined {
  const open = line.indexOf('[')
  const close = open < 0 ? -1 : line.indexOf('] "', open)
  if (close < 0 || close - open > 40) return undefined
  const time = parseCommonTime(line.slice(open + 1, close))
  if (Number.isNaN(time)) return undefined
  const requestEnd = closingQuote(line, close + 3)
  if (requestEnd < 0) return undefined
  const request = splitRequestLine(undoEscapes(line, close + 3, requestEnd))

  const statusEnd = fieldEnd(line, requestEnd + 2)
  const statusText = line.slice(requestEnd + 2, statusEnd)
  const status = statusText === '-' ? 0 : Number(statusText)
  if (!(status >= 0 && status <= 999)) return undefined
  const bytesEnd = fieldEnd(line, statusEnd + 1)
  const bytes = Number(line.slice(statusEnd + 1, bytesEnd))

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

  // Up to four words stand before the time: [virtual host] address ident user. The user may have spaces.
  const first = line.indexOf(' ')
  const second = line.indexOf(' ', first + 1)
  const third = line.indexOf(' ', second + 1)
  const hasHost = second > 0 && third > 0 && third < open - 1
  const addressStart = hasHost ? first + 1 : 0
  const address = line.slice(addressStart, Math.min(hasHost ? second : first, open - 1))
  const userStart = (hasHost ? third : second) + 1
  const user = userStart > 0 && userStart < open ? known(line.slice(userStart, open - 1)) : undefined
  // Assigned one by one: to spread them into the record took longer than to read the line.
  const record: { -readonly [Key in keyof LogRecord]: LogRecord[Key] } = {
    time,
    address: address.includes(':') ? withoutPort(address) : address,
    method: request.method,
    target: request.target,
    httpVersion: request.httpVersion,
    status,
    bytes: bytes >= 0 ? bytes : 0,
  }
  if (hasHost) record.host = line.slice(0, first)
  if (user !== undefined) record.user = user
  if (referer !== undefined) record.referer = referer
  if (agent !== undefined) record.agent = agent
  return record
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
