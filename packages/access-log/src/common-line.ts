import { loggedClient } from './client-list.ts'
import { known, type LogRecord, splitRequestLine } from './log-record.ts'
import { parseCommonTime } from './log-time.ts'

/**
 * A line of the common or combined format of Apache, nginx and Traefik, also with a virtual host in front and
 * any fields after it; undefined for any other line. One pass over the characters, no regular expression.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over the line; each step starts where the last one ended.
export function parseCommonLine(line: string): LogRecord | undefined {
  const open = timeStart(line)
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

  // Up to four words precede the time: [virtual host] addresses ident user. The user may have spaces.
  const list = listEnd(line, 0)
  const first = line.indexOf(' ', list)
  const second = line.indexOf(' ', first + 1)
  const third = line.indexOf(' ', second + 1)
  const hasHost = list === 0 && second > 0 && third > 0 && third < open - 1
  const addressStart = hasHost ? first + 1 : 0
  const hosted = hasHost ? listEnd(line, addressStart) : 0
  const addressEnd = hasHost ? line.indexOf(' ', Math.max(addressStart, hosted)) : first
  const address = line.slice(addressStart, Math.min(addressEnd, open - 1))
  const ident = hasHost ? addressEnd : first
  const userStart = line.indexOf(' ', ident + 1) + 1
  const user = userStart > 0 && userStart < open ? known(line.slice(userStart, open - 1)) : undefined
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
  if (address.includes(':') || address.includes(',')) Object.assign(record, loggedClient(address))
  if (hasHost) record.host = line.slice(0, first)
  if (user !== undefined) record.user = user
  if (referer !== undefined) record.referer = referer
  if (agent !== undefined) record.agent = agent
  return record
}

const MAX_BRACKETS = 8

/**
 * Index of the bracket that opens the time: the first that a day of the month follows. Others occur
 * in process numbers, addresses and names.
 */
function timeStart(line: string): number {
  let at = line.indexOf('[')
  for (let i = 1; at >= 0 && i < MAX_BRACKETS && line.charCodeAt(at + 3) !== 0x2f; i++)
    at = line.indexOf('[', at + 1)
  return at
}

/**
 * Index of the last address of a list whose first begins at `from`: each but the last ends
 * with a comma. `from` when it is not a list.
 */
function listEnd(line: string, from: number): number {
  let at = from
  for (;;) {
    const space = line.indexOf(' ', at)
    if (space <= at || line.charCodeAt(space - 1) !== 0x2c) return at
    at = space + 1
  }
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
