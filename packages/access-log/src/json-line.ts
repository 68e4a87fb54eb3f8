import { loggedClient } from './client-list.ts'
import { known, type LogRecord, splitRequestLine } from './log-record.ts'
import { parseAnyTime } from './log-time.ts'
import { parseLooseFields } from './loose-json.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * The names of each field in the JSON of nginx, Apache, Caddy, Traefik, Envoy, Cloudflare Logpush, AWS,
 * Google Cloud, Azure, Vercel, pino-http and Postern's own events, in order of precedence.
 */
const NAMES = {
  time: [
    'time',
    'timestamp',
    '@timestamp',
    'ts',
    'start_time',
    'StartUTC',
    'StartLocal',
    'EdgeStartTimestamp',
    'time_iso8601',
    'time_local',
    'msec',
    'date',
    'requestTime',
    'timeStamp',
  ],
  address: [
    'ClientHost',
    'ClientIP',
    'client_ip',
    'remote_ip',
    'remote_addr',
    'clientip',
    'downstream_remote_address',
    'remoteAddress',
    'remote_host',
    'c-ip',
    'address',
    'ip',
    'client',
    'remoteIp',
    'clientIp',
    'clientIP',
    // Last: where a log names the sender as well, a client may have written this one itself.
    'x_forwarded_for',
    'x-forwarded-for',
    'http_x_forwarded_for',
    'xff',
  ],
  method: [
    'method',
    'request_method',
    'RequestMethod',
    'ClientRequestMethod',
    'cs-method',
    'verb',
    'requestMethod',
    'httpMethod',
  ],
  target: [
    'x-envoy-origin-path',
    'x-envoy-original-path',
    'RequestPath',
    'ClientRequestURI',
    'request_uri',
    'uri',
    'url',
    'target',
    'path',
    'requestUrl',
    'requestUri',
  ],
  query: ['query', 'query_string', 'args', 'cs-uri-query', 'requestQuery'],
  status: [
    'DownstreamStatus',
    'EdgeResponseStatus',
    'response_code',
    'status',
    'status_code',
    'statusCode',
    'sc-status',
    'response',
    'httpStatus',
    'httpStatusCode',
  ],
  bytes: [
    'DownstreamContentSize',
    'EdgeResponseBytes',
    'body_bytes_sent',
    'bytes_sent',
    'size',
    'bytes',
    'sc-bytes',
    'responseSize',
    'responseLength',
    'sentBytes',
  ],
  user: ['ClientUsername', 'remote_user', 'user_id', 'user', 'principal'],
  agent: [
    'http_user_agent',
    'user-agent',
    'user_agent',
    'userAgent',
    'request_User-Agent',
    'ClientRequestUserAgent',
    'agent',
  ],
  referer: ['http_referer', 'referer', 'referrer', 'request_Referer', 'ClientRequestReferer'],
  host: [
    'RequestHost',
    'ClientRequestHost',
    ':authority',
    'authority',
    'host',
    'http_host',
    'server_name',
    'vhost',
  ],
  protocol: ['RequestProtocol', 'ClientRequestProtocol', 'protocol', 'server_protocol', 'proto'],
} as const satisfies Readonly<Record<string, readonly string[]>>

const INNER = [
  'request',
  'req',
  'res',
  'response',
  'actor',
  'outcome',
  'httpRequest',
  'http',
  'properties',
  'proxy',
] as const

/** A line of a JSON access log; undefined for any other line. */
export function parseJsonLine(line: string): LogRecord | undefined {
  const top = fieldsOf(parsedJson(line))
  if (top === undefined) return undefined
  const parts = [top, ...INNER.map(name => fieldsOf(top[name])).filter(part => part !== undefined)]
  const requestLine = text(top['request'])
  const request = requestLine === undefined ? undefined : splitRequestLine(requestLine)
  const time = parseAnyTime(find(parts, NAMES.time))
  const address = addressesOf(parts)
  const method = text(find(parts, NAMES.method)) ?? request?.method
  const target = targetOf(parts) ?? request?.target
  const status = Number(find(parts, NAMES.status))
  if (Number.isNaN(time) || address === undefined || method === undefined || target === undefined)
    return undefined
  // Under another name, perhaps: the reader of loose fields knows more of them.
  if (Number.isNaN(status)) {
    const loose = parseLooseFields(top)
    if (loose !== undefined && loose.status > 0) return loose
  }
  const bytes = Number(find(parts, NAMES.bytes))
  return {
    time,
    ...loggedClient(address),
    method,
    target,
    httpVersion:
      request?.httpVersion ?? (text(find(parts, NAMES.protocol))?.replace(/^HTTP\//i, '') || '1.1'),
    status: Number.isFinite(status) ? status : 0,
    bytes: Number.isFinite(bytes) ? bytes : 0,
    ...optionalFields(parts),
  }
}

/** What many logs leave out. */
function optionalFields(
  parts: readonly Fields[],
): Pick<LogRecord, 'duration' | 'host' | 'user' | 'referer' | 'agent'> {
  const headers = parts.map(part => fieldsOf(part['headers'])).find(part => part !== undefined)
  const host = text(find(parts, NAMES.host))
  const user = text(find(parts, NAMES.user))
  const referer = text(find(parts, NAMES.referer)) ?? header(headers, 'referer')
  const agent = text(find(parts, NAMES.agent)) ?? header(headers, 'user-agent')
  const duration = durationOf(parts)
  return {
    ...(duration !== undefined && { duration }),
    ...(host !== undefined && { host }),
    ...(user !== undefined && { user }),
    ...(referer !== undefined && { referer }),
    ...(agent !== undefined && { agent }),
  }
}

/** JSON, also with the `\\x22` of nginx's default escapes, and with a comma before its end. */
function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    if (!line.includes('\\x') && !/,\s?\}$/.test(line)) return undefined
  }
  try {
    return JSON.parse(line.replace(/\\x([0-9a-f]{2})/gi, '\\u00$1').replace(/,\s?\}$/, '}'))
  } catch {
    return undefined
  }
}

/** One address, or a list: as text, or as an array of the hops. */
function addressesOf(parts: readonly Fields[]): string | undefined {
  for (const name of NAMES.address) {
    for (const part of parts) {
      const value = part[name]
      const written = Array.isArray(value) ? value.filter(hop => typeof hop === 'string').join(', ') : value
      const address = text(written)
      if (address !== undefined && address !== 'unknown') return address
    }
  }
  return undefined
}

function targetOf(parts: readonly Fields[]): string | undefined {
  const written = text(find(parts, NAMES.target))
  // Load balancers write the whole address.
  const target = written?.replace(/^https?:\/\/[^/?#]*(?=$|[/?#])/i, '').replace(/^(?=$|[?#])/, '/')
  const query = text(find(parts, NAMES.query))
  if (target === undefined || query === undefined || target.includes('?')) return target
  return `${target}${query.startsWith('?') ? '' : '?'}${query}`
}

/** Each unit has its own usual names. */
function durationOf(parts: readonly Fields[]): number | undefined {
  const seconds = Number(find(parts, ['request_time']) ?? Number.NaN)
  if (Number.isFinite(seconds)) return seconds * 1_000
  const nanoseconds = Number(find(parts, ['Duration']) ?? Number.NaN)
  if (Number.isFinite(nanoseconds)) return nanoseconds / 1e6
  const milliseconds = Number(find(parts, ['responseTime', 'response_time_ms', 'duration_ms']) ?? Number.NaN)
  return Number.isFinite(milliseconds) ? milliseconds : undefined
}

function header(headers: Fields | undefined, lowerName: string): string | undefined {
  if (headers === undefined) return undefined
  for (const name in headers) {
    if (name.toLowerCase() !== lowerName) continue
    const value = headers[name]
    return text(Array.isArray(value) ? value[0] : value)
  }
  return undefined
}

function find(parts: readonly Fields[], names: readonly string[]): unknown {
  for (const name of names) {
    for (const part of parts) {
      const value = part[name]
      if ((typeof value === 'string' && value !== '') || typeof value === 'number') return value
    }
  }
  return undefined
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? known(value) : undefined
}
