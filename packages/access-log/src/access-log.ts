import { parseCommonLine } from './common-line.ts'
import { parseErrorLine } from './error-line.ts'
import { parseJsonLine } from './json-line.ts'
import type { LogRecord } from './log-record.ts'
import { parseHaproxyLine, parseProxyManagerLine } from './proxy-line.ts'
import { parseBalancerLine, parseEnvoyLine } from './spaced-line.ts'

const MAX_LINE = 65_536
/** What container runtimes (CRI) and syslog daemons write before the line itself. */
const CONTAINER = /^\d{4}-\d\d-\d\dT\S{8,32} (?:stdout|stderr) [FP] /
const SYSLOG =
  /^(?:<\d{1,3}>)?(?:1 )?(?:\w{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,32}) \S{1,255} [\w./-]{1,64}(?:\[\d+\])?: /

/**
 * A line of an access log in any known format: common and combined (Apache, nginx, Traefik), JSON
 * (nginx, Apache, Caddy, Traefik, Envoy, Cloudflare Logpush, pino, Postern's own events), AWS ALB,
 * Envoy's text, HAProxy, Nginx Proxy Manager, failed logins of nginx's and Apache's error
 * logs; also after the prefix of a container runtime or syslog. Undefined for other lines,
 * and for lines over 64 KiB. Never throws.
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
    parseEnvoyLine(line) ??
    parseHaproxyLine(line) ??
    parseProxyManagerLine(line)
  )
}

/** Docker's json-file driver keeps the line in `log`. */
function parseJsonObject(line: string): LogRecord | undefined {
  const record = parseJsonLine(line)
  if (record !== undefined || !line.startsWith('{"log":"')) return record
  const { log } = JSON.parse(safeJson(line)) as { log?: unknown }
  return typeof log === 'string' && !log.startsWith('{"log"') ? parseAccessLog(log.trimEnd()) : undefined
}

function safeJson(line: string): string {
  try {
    JSON.parse(line)
    return line
  } catch {
    return '{}'
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

function prefixLength(line: string): number {
  const first = line.charCodeAt(0)
  const startsWithDigits = first >= 0x30 && first <= 0x39 && line.charCodeAt(4) === 0x2d
  const startsWithLetter = (first >= 0x41 && first <= 0x5a) || first === 0x3c
  if (!startsWithDigits && !startsWithLetter) return 0
  return (
    (startsWithDigits ? CONTAINER.exec(line)?.[0].length : undefined) ?? SYSLOG.exec(line)?.[0].length ?? 0
  )
}
