import { type LogRecord, splitRequestLine, withoutLastPort } from './log-record.ts'
import { parseAnyTime } from './log-time.ts'
import { parseLooseFields } from './loose-json.ts'

/** Longer lines of these formats are not read. */
const MAX_LENGTH = 16_384
/** When the line was written, by the server itself or by what collected it. */
const WRITTEN =
  /(?:^|[[\s>])(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d)\b)?)/
/** uvicorn and daphne: client - "request" status */
const UVICORN = /(?:^|\s)(\[?[\da-f.:]{3,45}\]?:\d{1,5}) - "((?:[^"\\]|\\.){1,8192})" (\d{3})\b/i
/** client () {...} [Sat Jan 31 12:30:05 2026] GET /x => generated 120 bytes in 3 msecs (HTTP/1.1 404) */
const UWSGI =
  /(?:^|\s)([\da-f.:]{3,45}) \(([^)]{0,128})\) \{[^}]{0,80}\} \[\w{3} (\w{3}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})\] ([A-Z]{1,20}) (\S{1,8192}) => generated (\d{1,15}) bytes in (\d{1,9}) msecs \(HTTP\/([\d.]{1,4}) (\d{3})\)/
/** [GIN] 2026/01/31 - 12:30:05 | 404 | 1.2ms | client | GET "/x" */
const GIN =
  /\[GIN\] (\d{4}\/\d\d\/\d\d) - (\d\d:\d\d:\d\d) \|\S{0,12} {1,4}(\d{3}) \S{0,12}\| {0,20}\S{1,24} \| {1,48}([\da-f.:]{3,45}) \|\S{0,12} {0,8}([A-Z]{1,20})\S{0,12} {1,8}"?([^\s"]{1,8192})/i
/**
 * Started GET "/x" for client at 2026-01-31 12:30:05 +0000, up to the end of the line, so that what a client
 * writes into the path stays a part of it.
 */
const RAILS =
  /(?:^|\s)Started ([A-Z]{1,20}) "(.{1,8192})" for ([\da-f.:]{3,45}) at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})\s*$/i
/** time elapsed client result/status bytes method URL user */
const SQUID =
  /(?:^|\s)(\d{9,11}\.\d{3}) {1,8}(\d{1,9}) ([\da-f.:]{3,45}) [A-Z_]{1,64}\/(\d{3}) (\d{1,15}) ([A-Z]{1,20}) (\S{1,8192}) (\S{1,128})/i

/**
 * A line that an application server or a framework writes (uvicorn, uWSGI, Gin, Rails), of Squid, or of
 * `name=value` as Heroku's router writes it; undefined for any other line, and for one without a time.
 */
export function parseApplicationLine(line: string): LogRecord | undefined {
  if (line.length > MAX_LENGTH) return undefined
  return (
    uvicornRecord(line) ??
    uwsgiRecord(line) ??
    ginRecord(line) ??
    railsRecord(line) ??
    squidRecord(line) ??
    pairsRecord(line)
  )
}

function uvicornRecord(line: string): LogRecord | undefined {
  const found = UVICORN.exec(line)
  const time = found === null ? Number.NaN : parseAnyTime(WRITTEN.exec(line.slice(0, found.index + 1))?.[1])
  if (found === null || Number.isNaN(time)) return undefined
  const [, client = '', request = '', status] = found
  const parts = splitRequestLine(request)
  if (parts.method === '') return undefined
  return { time, address: withoutLastPort(client), ...parts, status: Number(status), bytes: 0 }
}

function uwsgiRecord(line: string): LogRecord | undefined {
  const found = line.includes(' => generated ') ? UWSGI.exec(line) : null
  if (found === null) return undefined
  const [, address = '', user = '', month, day, clock, year, method = '', target = ''] = found
  const time = Date.parse(`${day} ${month} ${year} ${clock} UTC`)
  if (Number.isNaN(time)) return undefined
  return {
    time,
    address,
    method,
    target,
    httpVersion: found[11] ?? '1.1',
    status: Number(found[12]),
    bytes: Number(found[9]),
    duration: Number(found[10]),
    ...(user !== '' && { user }),
  }
}

function ginRecord(line: string): LogRecord | undefined {
  const found = line.includes('[GIN]') ? GIN.exec(line) : null
  if (found === null) return undefined
  const [, date = '', clock = '', status, address = '', method = '', target = ''] = found
  const time = parseAnyTime(`${date} ${clock}`)
  return Number.isNaN(time)
    ? undefined
    : { time, address, method, target, httpVersion: '1.1', status: Number(status), bytes: 0 }
}

/** Rails names the client where a request starts, and its status only lines later. */
function railsRecord(line: string): LogRecord | undefined {
  const found = line.includes('Started ') ? RAILS.exec(line) : null
  if (found === null) return undefined
  const [, method = '', target = '', address = '', at] = found
  const time = parseAnyTime(at)
  return Number.isNaN(time)
    ? undefined
    : { time, address, method, target, httpVersion: '1.1', status: 0, bytes: 0 }
}

function squidRecord(line: string): LogRecord | undefined {
  const found = SQUID.exec(line)
  if (found === null) return undefined
  const [, when, elapsed, address = '', status, bytes, method = '', url = '', user = ''] = found
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  return {
    time: Number(when) * 1_000,
    address,
    method,
    target: absolute === null ? url : absolute[2] || '/',
    httpVersion: '1.1',
    status: Number(status),
    bytes: Number(bytes),
    duration: Number(elapsed),
    ...(absolute?.[1] !== undefined && { host: absolute[1] }),
    ...(user !== '-' && user !== '' && { user }),
  }
}

const PAIR = /(?:^|\s)([a-z][\w.@-]{0,40})=(?:"((?:[^"\\]|\\.){0,8192})"|([^\s"]{0,8192}))/gi
const MAX_PAIRS = 64

function pairsRecord(line: string): LogRecord | undefined {
  if (!/\b(?:status|code)\w{0,8}=/i.test(line)) return undefined
  const pairs: [string, string][] = []
  for (const [, name = '', quoted, plain] of line.matchAll(PAIR)) {
    pairs.push([name, quoted ?? plain ?? ''])
    if (pairs.length >= MAX_PAIRS) break
  }
  const written = WRITTEN.exec(line)?.[1]
  // The first field of a name counts: a client may write more of them into what follows.
  return parseLooseFields({
    ...Object.fromEntries(pairs.reverse()),
    ...(written !== undefined && { time: written }),
  })
}
