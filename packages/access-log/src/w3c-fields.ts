import { loggedClient } from './client-list.ts'
import { known, type LogRecord } from './log-record.ts'

/** The column of each field; -1 for fields that the log lacks. */
interface Columns {
  readonly date: number
  readonly time: number
  readonly address: number
  readonly forwarded: number
  readonly method: number
  readonly path: number
  readonly query: number
  readonly status: number
  readonly bytes: number
  readonly taken: number
  readonly host: number
  readonly user: number
  readonly referer: number
  readonly agent: number
  readonly version: number
}

const NAMES: Readonly<Record<keyof Columns, readonly string[]>> = {
  date: ['date'],
  time: ['time'],
  address: ['c-ip'],
  forwarded: ['x-forwarded-for', 'cs(x-forwarded-for)'],
  method: ['cs-method'],
  path: ['cs-uri-stem', 'cs-uri'],
  query: ['cs-uri-query'],
  status: ['sc-status'],
  bytes: ['sc-bytes'],
  taken: ['time-taken'],
  host: ['x-host-header', 'cs-host', 'cs(host)'],
  user: ['cs-username'],
  referer: ['cs(referer)'],
  agent: ['cs(user-agent)'],
  version: ['cs-version', 'cs-protocol-version'],
}

/** What CloudFront writes: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html */
const CLOUDFRONT =
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query ' +
  'cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for'
/** The default selection of IIS. */
const IIS =
  'date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus ' +
  'sc-win32-status time-taken'

const MAX_COLUMNS = 128
const DIRECTIVE = /^#Fields:\s*(\S.*)$/
/** The day on which the log was begun, for those that keep the time only. */
const DATE = /^#Date:\s*(\d{4}-\d\d-\d\d)/
/** The default fields of CloudFront's real-time logs, which have no directive: seconds, client, and so on. */
const REAL_TIME =
  /^(\d{9,11}\.\d{3})\t([\da-f.:]{3,45})\t[\d.-]{1,16}\t(\d{1,3}|-)\t(\d{1,15}|-)\t([A-Z]{1,20})\t\S{1,16}\t(\S{1,255})\t(\S{1,8192})\t(.*)$/i
/** Columns of the rest of such a line: duration, version, agent, referer, query. */
const REAL_TIME_REST = { duration: 4, version: 5, agent: 7, referer: 8, query: 10 } as const

/**
 * The columns of a log in the W3C Extended Log File Format (https://www.w3.org/TR/WD-logfile), which IIS and
 * CloudFront write. A `#Fields:` line names them; before the first such line they are those that CloudFront
 * (separated by tabs) or IIS (by spaces) writes by default.
 */
export class W3cFields {
  #declared: Columns | undefined = undefined
  #date: string | undefined = undefined

  /** Reads a directive. @returns whether the line is a directive */
  declare(line: string): boolean {
    if (line.charCodeAt(0) !== 0x23) return false
    const fields = DIRECTIVE.exec(line)?.[1]
    if (fields !== undefined) this.#declared = columnsOf(fields)
    this.#date = DATE.exec(line)?.[1] ?? this.#date
    return true
  }

  /** A line of values; undefined for any other line. */
  parse(line: string): LogRecord | undefined {
    const isDated = /^\d{4}-\d\d-\d\d[\t ]\d\d:\d\d:\d\d/.test(line)
    if (!isDated && this.#declared === undefined) return realTimeRecord(line)
    const tabbed = line.includes('\t')
    const columns = this.#declared ?? (tabbed ? CLOUDFRONT_COLUMNS : IIS_COLUMNS)
    const unit = tabbed ? 'seconds' : 'milliseconds'
    return record(line.split(tabbed ? '\t' : ' ', MAX_COLUMNS), columns, unit, this.#date)
  }
}

function realTimeRecord(line: string): LogRecord | undefined {
  const found = REAL_TIME.exec(line)
  if (found === null) return undefined
  const [, when, address = '', status, bytes, method = '', host = '', path = '', rest = ''] = found
  const more = rest.split('\t', MAX_COLUMNS)
  const query = known(more[REAL_TIME_REST.query])
  const agent = unescaped(known(more[REAL_TIME_REST.agent]))
  const referer = unescaped(known(more[REAL_TIME_REST.referer]))
  return {
    time: Number(when) * 1_000,
    address,
    method,
    target: query === undefined || path.includes('?') ? path : `${path}?${query}`,
    httpVersion: known(more[REAL_TIME_REST.version])?.replace(/^HTTP\//, '') ?? '1.1',
    status: Number(status) || 0,
    bytes: Number(bytes) || 0,
    duration: Number(more[REAL_TIME_REST.duration]) * 1_000 || 0,
    host,
    ...(referer !== undefined && { referer }),
    ...(agent !== undefined && { agent }),
  }
}

function columnsOf(fields: string): Columns {
  const names = fields.trim().toLowerCase().split(/\s+/, MAX_COLUMNS)
  const found = Object.entries(NAMES).map(([key, wanted]) => [
    key,
    wanted.map(name => names.indexOf(name)).find(index => index >= 0) ?? -1,
  ])
  return Object.fromEntries(found) as Columns
}

const CLOUDFRONT_COLUMNS = columnsOf(CLOUDFRONT)
const IIS_COLUMNS = columnsOf(IIS)

/** @param unit of `time-taken`: IIS writes milliseconds, CloudFront seconds */
function record(
  values: readonly string[],
  columns: Columns,
  unit: 'seconds' | 'milliseconds',
  begun: string | undefined,
): LogRecord | undefined {
  const field = (column: number): string | undefined => known(values[column])
  const time = Date.parse(`${field(columns.date) ?? begun}T${field(columns.time)}Z`)
  const address = field(columns.address)
  const method = field(columns.method)
  const path = field(columns.path)
  if (Number.isNaN(time) || address === undefined || method === undefined || path === undefined)
    return undefined
  const query = field(columns.query)
  const taken = Number(field(columns.taken))
  const host = field(columns.host)
  const user = field(columns.user)
  const referer = unescaped(field(columns.referer))
  const agent = unescaped(field(columns.agent))
  return {
    time,
    ...loggedClient([field(columns.forwarded), address].filter(text => text !== undefined).join(', ')),
    method,
    target: query === undefined ? path : `${path}?${query}`,
    httpVersion: field(columns.version)?.replace(/^HTTP\//, '') ?? '1.1',
    status: Number(field(columns.status)) || 0,
    bytes: Number(field(columns.bytes)) || 0,
    ...(Number.isFinite(taken) && { duration: unit === 'seconds' ? taken * 1_000 : taken }),
    ...(host !== undefined && { host }),
    ...(user !== undefined && { user }),
    ...(referer !== undefined && { referer }),
    ...(agent !== undefined && { agent }),
  }
}

/** IIS writes a space as `+`; CloudFront escapes spaces as `%20`, and its own `%` as `%25`. */
function unescaped(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const spaced = text.includes(' ') || text.includes('%20') ? text : text.replaceAll('+', ' ')
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced.replaceAll('%25', '%'))
  } catch {
    return spaced
  }
}
