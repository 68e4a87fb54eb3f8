import { parseApplicationLine } from './application-line.ts'
import { parseCommonLine } from './common-line.ts'
import { parseErrorLine } from './error-line.ts'
import { parseJsonLine } from './json-line.ts'
import { prefixLength } from './line-prefix.ts'
import type { LogRecord } from './log-record.ts'
import { parseLooseFields } from './loose-json.ts'
import { parseHaproxyLine, parseProxyManagerLine } from './proxy-line.ts'
import { parseBalancerLine, parseClassicBalancerLine, parseEnvoyLine } from './spaced-line.ts'

const MAX_LINE = 65_536
const MAX_PREFIX = 512
const COLOUR = /\u001b\[[\d;]{0,16}m/g

/**
 * A line of an access log in any known format: common and combined (Apache, nginx, Traefik, Varnish, S3),
 * JSON (nginx, Apache, Caddy, Traefik, Envoy, Cloudflare Logpush, CloudFront, AWS WAF and API Gateway,
 * Google Cloud and Azure load balancers, Fastly, Akamai, Vercel, Kong, pino, ECS, OpenTelemetry, Postern's
 * own events), AWS load balancers, Envoy's text, HAProxy, Nginx Proxy Manager, uvicorn, uWSGI, Gin, Squid,
 * `name=value` as Heroku writes it, failed logins of nginx's and Apache's error logs; also after the prefix
 * of a container runtime, syslog, journalctl, docker compose, pm2 or kubectl, and inside the JSON of one
 * that ships logs. Undefined for other lines, and for lines over 64 KiB. Never throws.
 */
export function parseAccessLog(line: string): LogRecord | undefined {
  if (line.length > MAX_LINE) return undefined
  const text = plainText(line)
  // JSON that itself holds `] "` must not be taken for a common line, so its first character decides.
  if (text.charCodeAt(0) === 0x7b) return parseJsonObject(text)
  const common = parseCommonLine(text)
  if (common !== undefined) return prefixed(text, common)
  return parseOther(text) ?? parseBehindPrefix(text) ?? parseEmbedded(text) ?? parseApplicationLine(text)
}

/** Without the colours that programs write to terminals, and without what surrounds an object in a list. */
function plainText(line: string): string {
  const text = line.includes('\u001b[') ? line.replace(COLOUR, '') : line
  const start = /^[\s[,]{1,16}(?=\{)/.exec(text)
  return start === null ? text : text.slice(start[0].length).replace(/[\s,\]]{1,16}$/, '')
}

/** JSON behind whatever a collector or the server writes in front of it. */
function parseEmbedded(line: string): LogRecord | undefined {
  const at = /\{\s?"/.exec(line)?.index
  if (at === undefined || at > MAX_PREFIX || !line.trimEnd().endsWith('}')) return undefined
  const text = line.slice(at).trimEnd()
  const record = parseJsonObject(text)
  if (record !== undefined) return record
  // Caddy's console format keeps the time in front.
  const time = line.split(/\s{1,4}(?=\D)|\t/, 1)[0] ?? ''
  return parseLooseFields({ ...jsonObject(text), time })
}

function parseOther(line: string): LogRecord | undefined {
  return (
    parseErrorLine(line) ??
    parseBalancerLine(line) ??
    parseClassicBalancerLine(line) ??
    parseEnvoyLine(line) ??
    parseHaproxyLine(line) ??
    parseProxyManagerLine(line)
  )
}

/** Where log shippers keep the line: Docker and Kubernetes, journald, Loki, CloudWatch, Google Cloud. */
const LINE_FIELDS = ['log', 'MESSAGE', 'message', 'line', '@message', 'textPayload', 'msg'] as const

const TIME_FIELDS = ['time', '@timestamp', 'timestamp', 'ts'] as const

function parseJsonObject(line: string, depth = 0): LogRecord | undefined {
  const record = parseJsonLine(line)
  if (record !== undefined || depth > 0) return record
  const fields = jsonObject(line)
  for (const name of LINE_FIELDS) {
    const inner = lineOf(fields[name])
    if (inner === undefined) continue
    const text = inner.trimEnd()
    const found = text.startsWith('{') ? parseJsonObject(text, depth + 1) : parseAccessLog(text)
    if (found !== undefined) return found
    const dated = timed(text, fields)
    if (dated !== undefined) return dated
  }
  return parseLooseFields(fields)
}

/** A line without a time of its own, by the time at which it was collected. */
function timed(line: string, fields: Readonly<Record<string, unknown>>): LogRecord | undefined {
  const at = TIME_FIELDS.map(name => fields[name]).find(value => typeof value === 'string')
  return at === undefined ? undefined : parseApplicationLine(`${at} ${line}`)
}

/** A line as text, or byte by byte as journald writes what is not UTF-8. */
function lineOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && typeof value[0] === 'number'
    ? Buffer.from(value).toString('utf8')
    : undefined
}

function jsonObject(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

/** A common line's words before the time include a prefix, if there is one; then it is read again without. */
function prefixed(line: string, record: LogRecord): LogRecord {
  const prefix = prefixLength(line)
  return prefix === 0 ? record : (parseCommonLine(line.slice(prefix)) ?? record)
}

function parseBehindPrefix(line: string): LogRecord | undefined {
  const prefix = prefixLength(line)
  if (prefix === 0) return undefined
  const rest = line.slice(prefix)
  if (rest.charCodeAt(0) === 0x7b) return parseJsonObject(rest)
  return parseCommonLine(rest) ?? parseOther(rest)
}
