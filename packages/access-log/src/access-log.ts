import { parseCommonLine } from './common-line.ts'
import { parseErrorLine } from './error-line.ts'
import { parseJsonLine } from './json-line.ts'
import { prefixLength } from './line-prefix.ts'
import type { LogRecord } from './log-record.ts'
import { parseHaproxyLine, parseProxyManagerLine } from './proxy-line.ts'
import { parseBalancerLine, parseClassicBalancerLine, parseEnvoyLine } from './spaced-line.ts'

const MAX_LINE = 65_536
/**
 * A line of an access log in any known format: common and combined (Apache, nginx, Traefik), JSON
 * (nginx, Apache, Caddy, Traefik, Envoy, Cloudflare Logpush, AWS WAF and API Gateway, Google Cloud and Azure
 * load balancers, Vercel, pino, Postern's own events), AWS load balancers, Envoy's text, HAProxy, Nginx Proxy
 * Manager, failed logins of nginx's and Apache's error logs; also after the prefix of a container runtime,
 * syslog, docker compose, pm2 or kubectl, and inside the JSON of one that ships logs. Undefined for other
 * lines, and for lines over 64 KiB. Never throws.
 */
export function parseAccessLog(line: string): LogRecord | undefined {
  if (line.length > MAX_LINE) return undefined
  // JSON that itself holds `] "` must not be taken for a common line, so its first character decides.
  if (line.charCodeAt(0) === 0x7b) return parseJsonObject(line)
  const common = parseCommonLine(line)
  if (common !== undefined) return prefixed(line, common)
  return parseOther(line) ?? parseBehindPrefix(line)
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

function parseJsonObject(line: string, depth = 0): LogRecord | undefined {
  const record = parseJsonLine(line)
  if (record !== undefined || depth > 0) return record
  const fields = jsonObject(line)
  for (const name of LINE_FIELDS) {
    const inner = fields[name]
    if (typeof inner !== 'string') continue
    const text = inner.trimEnd()
    const found = text.startsWith('{') ? parseJsonObject(text, depth + 1) : parseAccessLog(text)
    if (found !== undefined) return found
  }
  return undefined
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
