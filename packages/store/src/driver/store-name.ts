import { ConfigError } from '@postern/core'

/**
 * A server as errors name it: kind, host, port and database, never user or password.
 * @throws ConfigError when the text is not a URL of one of the schemes; the text itself, which may hold a
 * password, is not quoted
 */
export function storeName(kind: 'postgres' | 'redis', url: string, schemes: readonly string[]): string {
  const parsed = URL.parse(url)
  if (parsed === null || !schemes.includes(parsed.protocol)) {
    throw new ConfigError({
      place: `${kind} url`,
      problem: `is not a URL that begins with ${schemes.map(scheme => `${scheme}//`).join(' or ')}`,
      hint:
        kind === 'postgres'
          ? 'e.g. postgres://user:password@127.0.0.1:5432/postern'
          : 'e.g. redis://:password@127.0.0.1:6379, with special characters percent-encoded',
    })
  }
  const port = parsed.port === '' ? (kind === 'postgres' ? '5432' : '6379') : parsed.port
  const path = parsed.pathname === '/' ? '' : parsed.pathname
  return `${kind} ${parsed.hostname === '' ? 'localhost' : parsed.hostname}:${port}${path}`
}
