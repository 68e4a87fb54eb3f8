/** One line of an access log. Fields that a format lacks are absent. */
export interface LogRecord {
  /** Epoch milliseconds. */
  readonly time: number
  /** The client's address as written, without a port. */
  readonly address: string
  /** Where the log lists several addresses: those before `address`, as `X-Forwarded-For` does. */
  readonly forwardedFor?: string
  readonly method: string
  /** Request target as sent. */
  readonly target: string
  /** `1.1`, `2.0`. */
  readonly httpVersion: string
  /** 0 when no answer was sent. */
  readonly status: number
  /** Bytes of the answer. */
  readonly bytes: number
  /** Milliseconds, where the format keeps them. */
  readonly duration?: number
  readonly host?: string
  readonly user?: string
  readonly referer?: string
  readonly agent?: string
  /** Whether an error log reported wrong credentials. */
  readonly failed?: 'credentials'
}

/**
 * `GET /x HTTP/1.1`, parsed; a line that is not a request keeps its text as the target, with an empty method.
 */
export function splitRequestLine(line: string): Pick<LogRecord, 'method' | 'target' | 'httpVersion'> {
  const first = line.indexOf(' ')
  const last = line.lastIndexOf(' ')
  if (first <= 0 || !isMethod(line, first))
    return { method: '', target: line.slice(0, 8_192), httpVersion: '' }
  if (last > first && line.startsWith('HTTP/', last + 1)) {
    const version = line.slice(last + 6)
    return {
      method: line.slice(0, first),
      target: line.slice(first + 1, last),
      httpVersion: version === '2' || version === '3' ? `${version}.0` : version,
    }
  }
  // Hypercorn leaves the name of the protocol out.
  const bare = /^(.*) (1\.[01]|2|3)$/.exec(line.slice(first + 1))
  if (bare !== null)
    return { method: line.slice(0, first), target: bare[1] ?? '', httpVersion: bare[2] ?? '' }
  return { method: line.slice(0, first), target: line.slice(first + 1), httpVersion: '0.9' }
}

function isMethod(line: string, end: number): boolean {
  if (end > 20) return false
  for (let i = 0; i < end; i++) {
    const code = line.charCodeAt(i)
    if ((code < 65 || code > 90) && code !== 45) return false
  }
  return true
}

/** An address without the port that some formats add: `192.0.2.1:443`, `[2001:db8::1]:443`. */
export function withoutPort(text: string): string {
  if (text.startsWith('[')) return text.slice(1, Math.max(1, text.indexOf(']')))
  const colon = text.indexOf(':')
  return colon > 0 && colon === text.lastIndexOf(':') ? text.slice(0, colon) : text
}

/** An address that always has a port behind it, also IPv6 without brackets. */
export function withoutLastPort(text: string): string {
  return text.startsWith('[') ? withoutPort(text) : text.slice(0, Math.max(0, text.lastIndexOf(':')))
}

/** A field that logs write as `-` when it is empty. */
export function known(text: string | undefined): string | undefined {
  return text === undefined || text === '-' || text === '' ? undefined : text
}
