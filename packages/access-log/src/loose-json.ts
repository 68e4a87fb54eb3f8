import { loggedClient } from './client-list.ts'
import { known, type LogRecord, splitRequestLine } from './log-record.ts'
import { parseAnyTime } from './log-time.ts'

const MAX_DEPTH = 4
const MAX_FIELDS = 256
const MAX_NESTED = 16_384

/**
 * The names of each field without case and signs, in order of precedence; the names of objects around it may
 * stand in front (`http.request.method`).
 */
const NAMES = {
  time: [
    'startutc',
    'edgestarttimestamp',
    'edgeendtimestamp',
    'starttime',
    'startedat',
    'timestamp',
    'timestampms',
    'timeiso8601',
    'datetime',
    'time',
    'timelocal',
    'ts',
    'msec',
    'reqtimesec',
    'eventtime',
    'receivetimestamp',
    'date',
  ],
  address: [
    'clienthost',
    'clientip',
    'clientaddress',
    'clientaddr',
    'remoteip',
    'remoteaddr',
    'remoteaddress',
    'remotehost',
    'sourceip',
    'sourceaddress',
    'srcip',
    'cip',
    'cliip',
    'downstreamremoteaddress',
    'networkclientip',
    'client',
    'ip',
    'httpxrealip',
    'xrealip',
    'realip',
    'fwd',
    'httpxforwardedfor',
    'xforwardedfor',
    'xff',
  ],
  method: [
    'requestmethod',
    'httprequestmethod',
    'httpmethod',
    'clientrequestmethod',
    'csmethod',
    'reqmethod',
    'method',
    'verb',
  ],
  target: [
    'urloriginal',
    'originalrequesturiwithargs',
    'clientrequesturi',
    'requesturi',
    'requesturl',
    'requestpath',
    'requesteduri',
    'httptarget',
    'httpurl',
    'csuristem',
    'uri',
    'url',
    'target',
    'urlpath',
    'reqpath',
    'path',
  ],
  query: ['csuriquery', 'querystring', 'urlquery', 'requestquery', 'querystr', 'query', 'args'],
  status: [
    'downstreamstatus',
    'edgeresponsestatus',
    'httpresponsestatuscode',
    'responsestatuscode',
    'responsestatus',
    'responsecode',
    'scstatus',
    'httpstatuscode',
    'httpstatus',
    'statuscode',
    'status',
    'originstatus',
  ],
  bytes: [
    'responsebodysize',
    'bodybytessent',
    'bytessent',
    'responsesize',
    'scbytes',
    'totalbytes',
    'bytes',
    'size',
  ],
  host: ['requesthost', 'reqhost', 'xhostheader', 'cshost', 'authority', 'urldomain', 'httphost', 'host'],
  user: ['remoteuser', 'clientusername', 'csusername', 'username', 'user'],
  agent: [
    'useragentoriginal',
    'requestuseragent',
    'httpuseragent',
    'csuseragent',
    'useragent',
    'ua',
    'agent',
  ],
  referer: ['httprequestreferrer', 'requestreferer', 'httpreferer', 'csreferer', 'referer', 'referrer'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** What a client chose to send: a header may be named like a field of the log. */
const CHOSEN = /headers?$|cookies?$|params$|parameters$|body$|formdata$/

type Scalar = string | number

/**
 * Fields of an access log under whatever spelling, nested or not: what `parseJsonLine` does not know by name,
 * the fields of ECS and OpenTelemetry, and lines of `name=value`. Undefined unless there are a time, a
 * client, a method and a target.
 */
export function parseLooseFields(top: Readonly<Record<string, unknown>>): LogRecord | undefined {
  const fields = new Map<string, Scalar>()
  collect(top, '', 0, fields)
  const line = text(fields.get('request'))
  const request = line === undefined ? undefined : splitRequestLine(line)
  const time = timeOf(fields)
  const address = find(fields, NAMES.address, isAddressText)
  const method = find(fields, NAMES.method) ?? (request?.method || undefined)
  const target =
    targetOf(fields) ?? (request?.method === '' && !line?.startsWith('/') ? undefined : request?.target)
  if (Number.isNaN(time) || address === undefined || method === undefined || target === undefined)
    return undefined
  const status = Number(find(fields, NAMES.status))
  const bytes = Number(find(fields, NAMES.bytes))
  const host = find(fields, NAMES.host)
  const user = find(fields, NAMES.user)
  const agent = find(fields, NAMES.agent)
  const referer = find(fields, NAMES.referer)
  return {
    time,
    ...loggedClient(address),
    method,
    target: withQuery(target, fields),
    httpVersion: (request?.method ?? '') === '' ? '1.1' : (request?.httpVersion ?? '1.1'),
    status: Number.isFinite(status) ? status : 0,
    bytes: Number.isFinite(bytes) ? bytes : 0,
    ...(host !== undefined && { host }),
    ...(user !== undefined && { user }),
    ...(referer !== undefined && { referer }),
    ...(agent !== undefined && { agent }),
  }
}

/** Each value under its whole path, and under its own name where no other has it. */
function collect(
  value: Readonly<Record<string, unknown>>,
  path: string,
  depth: number,
  into: Map<string, Scalar>,
): void {
  for (const [name, found] of Object.entries(value)) {
    if (into.size >= MAX_FIELDS) return
    const own = name.toLowerCase().replace(/[^a-z0-9]/g, '')
    if (CHOSEN.test(own)) continue
    const whole = path + own
    const one = plainValue(found)
    if (typeof one === 'object') {
      if (one.isWritten || depth < MAX_DEPTH) collect(one.fields, whole, depth + 1, into)
    } else if (one !== undefined) {
      into.set(whole, one)
      if (!into.has(own)) into.set(own, one)
    }
  }
}

/** An object in a log line: a part of the line, or written out as a text. */
interface Nested {
  readonly fields: Readonly<Record<string, unknown>>
  readonly isWritten: boolean
}

/** A value as one text or number, or what it holds; undefined for nothing and for what cannot be read. */
function plainValue(found: unknown): Scalar | Nested | undefined {
  const one: unknown = Array.isArray(found)
    ? found.filter(part => typeof part === 'string').join(', ')
    : found
  if (typeof one === 'number') return one
  if (typeof one === 'object' && one !== null)
    return { fields: one as Readonly<Record<string, unknown>>, isWritten: false }
  if (typeof one !== 'string' || one === '') return undefined
  if (!one.startsWith('{') || one.length > MAX_NESTED) return one
  const fields = objectOf(one)
  return fields && { fields, isWritten: true }
}

function objectOf(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(json) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

/** The first field of a list that has a value, by its whole path or by how it ends. */
function find(
  fields: ReadonlyMap<string, Scalar>,
  names: readonly string[],
  fits: (value: string) => boolean = () => true,
): string | undefined {
  for (const name of names) {
    const value = text(fields.get(name))
    if (value !== undefined && fits(value)) return value
  }
  return undefined
}

function isAddressText(value: string): boolean {
  return value !== 'unknown' && /^[\da-f:.[\]]/i.test(value) && /[.:]/.test(value)
}

function timeOf(fields: ReadonlyMap<string, Scalar>): number {
  const date = text(fields.get('date'))
  const clock = text(fields.get('time'))
  // CloudFront writes them apart.
  if (
    date !== undefined &&
    clock !== undefined &&
    /^\d{4}-\d\d-\d\d$/.test(date) &&
    /^\d\d:\d\d:\d\d/.test(clock)
  )
    return parseAnyTime(`${date}T${clock}Z`)
  for (const name of NAMES.time) {
    const time = parseAnyTime(fields.get(name))
    if (!Number.isNaN(time)) return time
  }
  return Number.NaN
}

function targetOf(fields: ReadonlyMap<string, Scalar>): string | undefined {
  const written = find(fields, NAMES.target)
  if (written === undefined) return undefined
  const path = written.replace(/^https?:\/\/[^/?#]*(?=$|[/?#])/i, '')
  return path.startsWith('/') || path === '*' ? path : `/${path}`
}

function withQuery(target: string, fields: ReadonlyMap<string, Scalar>): string {
  const query = find(fields, NAMES.query)
  if (query === undefined || target.includes('?')) return target
  return `${target}${query.startsWith('?') ? '' : '?'}${query}`
}

function text(value: Scalar | undefined): string | undefined {
  return typeof value === 'number' ? String(value) : known(value)
}
